//! How much processor time others took while we measured: the noise of a round. Linux only, from /proc.

use std::collections::HashMap;
use std::time::Instant;

/// Ticks of the processor counters in a second (USER_HZ is 100 on every Linux architecture we build for).
const TICKS_PER_SECOND: f64 = 100.0;

/// The counters at one moment.
#[derive(Debug)]
pub(crate) struct Reading {
    at: Instant,
    busy: f64,
    ours: f64,
}

impl Reading {
    /// Reads the counters now.
    pub(crate) fn now() -> Self {
        Self { at: Instant::now(), busy: busy_ticks(), ours: our_ticks() }
    }

    /// Share of all processors that programs other than this one and its children took since, 0 to 1.
    pub(crate) fn foreign(&self) -> f64 {
        let now = Self::now();
        let processors = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
        let all = (now.at - self.at).as_secs_f64() * TICKS_PER_SECOND * processors;
        (((now.busy - self.busy) - (now.ours - self.ours)) / all).clamp(0.0, 1.0)
    }
}

/// The processor time of one process in seconds, without that of its children.
pub(crate) fn seconds_of(pid: u32) -> f64 {
    read_stat(&pid.to_string()).map_or(0.0, |stat| stat.own / TICKS_PER_SECOND)
}

/// Ticks of all programs and of the kernel, without idling and waiting. Time stolen by the host counts as foreign.
fn busy_ticks() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<f64> =
        text.lines().next().unwrap_or_default().split_whitespace().skip(1).filter_map(|f| f.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal
    fields.iter().take(8).enumerate().filter(|(place, _)| ![3, 4].contains(place)).map(|(_, ticks)| ticks).sum()
}

struct Stat {
    parent: u32,
    own: f64,
    waited_for: f64,
}

fn read_stat(pid: &str) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything; the fields begin behind its last parenthesis.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok());
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        waited_for: ticks(13)? + ticks(14)?,
    })
}

/// Ticks of this process and all below it, also of those that have ended.
fn our_ticks() -> f64 {
    let Ok(entries) = std::fs::read_dir("/proc") else { return 0.0 };
    let stats: HashMap<u32, Stat> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_str()?;
            Some((name.parse().ok()?, read_stat(name)?))
        })
        .collect();
    let me = std::process::id();
    let is_ours = |mut pid: u32| loop {
        if pid == me {
            return true;
        }
        match stats.get(&pid) {
            Some(stat) if stat.parent > 1 => pid = stat.parent,
            _ => return false,
        }
    };
    stats.iter().filter(|(pid, _)| is_ours(**pid)).map(|(_, stat)| stat.own + stat.waited_for).sum()
}
