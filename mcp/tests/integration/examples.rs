//! The example does what its first lines say: the `console` block there is the expected output, in which
//! `…` stands for any text.

use std::path::Path;
use std::process::Command;

/// The lines that the example's own comment promises.
fn promised(name: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name)
        .with_extension("rs");
    let source = std::fs::read_to_string(file).unwrap();
    source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .skip_while(|line| line.trim() != "```console")
        // The fence, and the command.
        .skip(2)
        .take_while(|line| line.trim() != "```")
        .map(|line| line.trim_start().to_owned())
        .collect()
}

/// Whether the parts of the promised line between `…` stand in the line, in their order.
fn says(line: &str, promised: &str) -> bool {
    let mut parts = promised.split('…');
    let mut rest = line.strip_prefix(parts.next().unwrap_or_default());
    for part in parts {
        rest = rest.and_then(|rest| rest.find(part).map(|at| &rest[at + part.len()..]));
    }
    rest.is_some_and(|rest| rest.is_empty() || promised.ends_with('…'))
}

#[test]
fn mcp_server_runs_as_it_says() {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", "mcp_server"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let out = String::from_utf8(output.stdout).unwrap();
    let promised = promised("mcp_server");
    assert_eq!(out.lines().count(), promised.len(), "{out}");
    for (line, promised) in out.lines().zip(&promised) {
        assert!(says(line, promised), "{line}\nis not\n{promised}");
    }
}
