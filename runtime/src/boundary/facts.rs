//! The setters that the gateway, the boundaries and the guard share: each sets a fact of the action
//! that will be asked for.

/// Setters for a type with a field `action`. `$own` says which metadata names the type writes
/// itself; a caller's are ignored, so that a reviewer reads there what is true.
macro_rules! facts {
    ($own:expr) => {
        /// How grave it is.
        pub fn risk(mut self, level: $crate::RiskLevel) -> Self {
            self.action = self.action.risk(level);
            self
        }

        /// What kind of thing it does.
        pub fn class(mut self, class: $crate::OperationClass) -> Self {
            self.action = self.action.class(class);
            self
        }

        /// How sensitive the data is that it touches.
        pub fn sensitivity(mut self, sensitivity: $crate::DataSensitivity) -> Self {
            self.action = self.action.sensitivity(sensitivity);
            self
        }

        /// The systems that it touches: at least one, none of them blank.
        pub fn systems(mut self, systems: impl IntoIterator<Item = impl Into<String>>) -> Self {
            self.action = self.action.systems(systems);
            self
        }

        /// Adds members to the metadata, as [`Action::metadata`](crate::Action::metadata) does.
        /// Names that are written here anyway are ignored.
        pub fn metadata<K: Into<String>, V: serde::Serialize>(
            mut self,
            members: impl IntoIterator<Item = (K, V)>,
        ) -> Self {
            let own: fn(&str) -> bool = $own;
            let members = members
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .filter(|(name, _): &(String, V)| !own(name));
            self.action = self.action.metadata(members);
            self
        }

        /// One line for the reviewer. It is sent, after DLP.
        pub fn summary(mut self, text: impl Into<String>) -> Self {
            self.action = self.action.summary(text);
            self
        }

        /// Whether argument values are sent. Default: the client's
        /// [`capture_arguments`](crate::ClientBuilder::capture_arguments), which tells what the
        /// idempotency key then gives away.
        pub fn capture_arguments(mut self, capture: bool) -> Self {
            self.action = self.action.capture_arguments(capture);
            self
        }

        /// As [`Action::resume_key`](crate::Action::resume_key).
        pub fn resume_key(mut self, key: impl std::fmt::Display) -> Self {
            self.action = self.action.resume_key(key);
            self
        }
    };
}
pub(crate) use facts;
