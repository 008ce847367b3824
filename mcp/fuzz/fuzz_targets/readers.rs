//! What the proxy's reader takes, every other reader understands in the same way; and nothing makes it
//! panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sernixa_mcp::message::Direction;

#[path = "../../tests/integration/readers.rs"]
mod readers;

// The first byte is the direction, so that a corpus of messages serves both.
fuzz_target!(|data: &[u8]| {
    if let Some((way, text)) = data.split_first() {
        let direction = if way % 2 == 0 {
            Direction::ToServer
        } else {
            Direction::ToHost
        };
        readers::agree(text, direction);
    }
});
