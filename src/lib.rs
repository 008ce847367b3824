//! Annotate a function, and it cannot run until a policy or a person has said yes.
