//! Tests of the replay, under the numbers of the design.
