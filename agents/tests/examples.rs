//! Each example does what its first lines say: the `console` block there is the expected output, in
//! which `…` stands for the rest of a line.

#![cfg(all(feature = "rig", feature = "langchain-rust"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::process::Command;

fn does_what_it_says(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(folder.join("examples").join(name).with_extension("rs"));
    let source = source.unwrap();
    let promised: Vec<_> = source
        .lines()
        .map_while(|line| line.strip_prefix("//! ").or(line.strip_prefix("//!")))
        .skip_while(|line| *line != "```console")
        .skip(2)
        .take_while(|line| *line != "```")
        .collect();
    assert!(!promised.is_empty());
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--all-features", "--example", name])
        .current_dir(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed: Vec<_> = printed.lines().map(str::trim_end).collect();
    assert_eq!(printed.len(), promised.len(), "{printed:#?}");
    for (printed, promised) in printed.iter().zip(&promised) {
        let fits = match promised.strip_suffix('…') {
            Some(start) => printed.starts_with(start),
            None => printed == promised,
        };
        assert!(fits, "printed: {printed}\npromised: {promised}");
    }
}

#[test]
fn rig() {
    does_what_it_says("rig");
}

#[test]
fn langchain() {
    does_what_it_says("langchain");
}
