//! Data-loss prevention: finds and masks secrets before metadata leaves the process.
