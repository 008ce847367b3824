//! The proxy's own stdin and stdout: where they are pipes, as hosts make them, they are awaited like
//! every other connection. `tokio::io::stdin` reads on a thread of its own, which costs each message two
//! switches of threads, and so does its stdout.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) type Input = Box<dyn AsyncRead + Send + Unpin>;

/// Where lines go to.
pub(crate) struct Output {
    pub(super) to: Box<dyn AsyncWrite + Send + Unpin>,
    /// Writes there what there is room for, and never waits.
    pub(super) at_once: Option<AtOnce>,
}

/// How much was written; `WouldBlock` where there is no room.
pub(super) type AtOnce = Box<dyn Fn(&[u8]) -> io::Result<usize> + Send>;

impl Output {
    /// Written to by a task that awaits.
    pub(crate) fn awaited(to: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        Self {
            to: Box::new(to),
            at_once: None,
        }
    }

    /// A pipe or socket that blocks for nobody who writes to it.
    #[cfg(unix)]
    pub(super) fn at_once(
        to: impl AsyncWrite + std::os::fd::AsFd + Send + Unpin + 'static,
    ) -> Self {
        let also = to.as_fd().try_clone_to_owned();
        Self {
            at_once: also.ok().map(|also| -> AtOnce {
                Box::new(move |bytes| rustix::io::write(&also, bytes).map_err(io::Error::from))
            }),
            to: Box::new(to),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn at_once(to: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        Self::awaited(to)
    }
}

/// stdin. Call it once, in a runtime.
pub(crate) fn input() -> Input {
    #[cfg(unix)]
    if let Some(input) = unix::input() {
        return input;
    }
    Box::new(tokio::io::stdin())
}

/// stdout. Call it once, in a runtime.
pub(crate) fn output() -> Output {
    #[cfg(unix)]
    if let Some(output) = unix::output() {
        return output;
    }
    Output::awaited(tokio::io::stdout())
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io;
    use std::os::fd::{AsFd, OwnedFd};
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

    use tokio::net::UnixStream;
    use tokio::net::unix::pipe::{Receiver, Sender};

    use super::{Input, Output};

    pub(super) fn input() -> Option<Input> {
        match End::of(&io::stdin()).ok()?? {
            End::Pipe(pipe) => Some(Box::new(Receiver::from_owned_fd(pipe).ok()?)),
            End::Socket(socket) => Some(Box::new(socket)),
        }
    }

    pub(super) fn output() -> Option<Output> {
        // What is awaited does not block for anybody who has it: whatever is written to stderr, by the
        // server, too, would fail when it is full.
        if is_same(&io::stdout(), &io::stderr()).unwrap_or(true) {
            return None;
        }
        match End::of(&io::stdout()).ok()?? {
            End::Pipe(pipe) => Some(Output::at_once(Sender::from_owned_fd(pipe).ok()?)),
            End::Socket(socket) => Some(Output::at_once(socket)),
        }
    }

    /// An end that can be awaited.
    enum End {
        Pipe(OwnedFd),
        /// Hosts on Node make these.
        Socket(UnixStream),
    }

    impl End {
        fn of(of: &impl AsFd) -> io::Result<Option<Self>> {
            let end = of.as_fd().try_clone_to_owned()?;
            let kind = File::from(end.try_clone()?).metadata()?.file_type();
            if kind.is_fifo() {
                return Ok(Some(Self::Pipe(end)));
            }
            if !kind.is_socket() {
                return Ok(None);
            }
            let socket = std::os::unix::net::UnixStream::from(end);
            // Fails for a socket of another kind.
            socket.local_addr()?;
            socket.set_nonblocking(true)?;
            UnixStream::from_std(socket).map(|socket| Some(Self::Socket(socket)))
        }
    }

    fn is_same(one: &impl AsFd, other: &impl AsFd) -> io::Result<bool> {
        let [one, other] = [one.as_fd(), other.as_fd()].map(|end| {
            let about = File::from(end.try_clone_to_owned()?).metadata()?;
            Ok::<_, io::Error>((about.dev(), about.ino()))
        });
        Ok(one? == other?)
    }
}
