//! Times, CPU time and pinning.

use std::process::Command;
use std::time::{Duration, Instant};

/// Pins this process, with all threads that it has and will have, to one core.
pub fn pin(core: usize) {
    let pid = std::process::id().to_string();
    let pinned = Command::new("taskset")
        .args(["-apc", &core.to_string(), &pid])
        .output();
    if !pinned.is_ok_and(|output| output.status.success()) {
        println!("taskset does not work here: not pinned");
    }
}

/// The durations of many calls.
pub struct Times(Vec<Duration>);

impl Times {
    pub fn of(calls: usize, mut call: impl FnMut()) -> Self {
        let one = |_| {
            let begin = Instant::now();
            call();
            begin.elapsed()
        };
        Self((0..calls).map(one).collect())
    }

    pub fn from(times: Vec<Duration>) -> Self {
        Self(times)
    }

    /// In microseconds: the value that this share of the calls stays under.
    pub fn percentile(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index"
        )]
        let at = ((self.0.len() as f64 * share) as usize).min(self.0.len() - 1);
        self.0.get(at).unwrap().as_secs_f64() * 1e6
    }
}

/// The CPU time that this process has used, all threads.
pub fn cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let of_one = |task: std::io::Result<std::fs::DirEntry>| {
        let path = task.unwrap().path().join("schedstat");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
        Duration::from_nanos(nanos.unwrap_or(0))
    };
    tasks.map(of_one).sum()
}

/// The resident memory of this process, in bytes.
pub fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    *values.get(values.len() / 2).unwrap()
}
