//! Names to addresses, without those that a webhook may not reach. The connection is made to what
//! was judged here: a name that answers another address a moment later gains nothing.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;
use super::hook::Reach;

/// The addresses of a name.
pub(super) type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// How names are looked up.
pub(super) type Lookup = Arc<dyn Fn(Name) -> Looking + Send + Sync>;

/// See the [module](self).
pub(super) struct Guarded {
    lookup: Lookup,
    reach: Reach,
}

impl Guarded {
    pub(super) fn new(lookup: Lookup, reach: Reach) -> Self {
        Self { lookup, reach }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (looking, reach) = ((self.lookup)(name), self.reach);
        Box::pin(async move {
            let mut addresses = looking.await?;
            addresses.retain(|address| reach.private || is_public(address.ip()));
            if addresses.is_empty() {
                let fault = "the name has no public address; others need allow_private = true";
                return Err(fault.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// As the system looks them up.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.collect())
        })
    })
}
