-- One database for each service. Runs once, when the volume of PostgreSQL is new.
create database organization;
create database customer_profile;
create database ticketing;
create database feedback;
create database loyalty;
