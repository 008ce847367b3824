//! The name of a governed function, read off the type name of an item inside its body.
//!
//! That text names method, type and trait without needing `Self`, which an attribute on a method
//! does not have [TRIED A4]. The standard library does not promise its form, so the tests below
//! hold every shape against the toolchain in use.

/// The function's name below `module`, with `.`, without closures and generics:
/// `shop::<Billing as Tool>::adjust::__sernixa_here` in `shop` is `Billing.adjust`.
///
/// `here` is the type name of an item inside the body: its last step is that item.
pub(crate) fn function_name(here: &str, module: &str) -> String {
    let steps = steps(here);
    let inside = steps.split_last().map_or([].as_slice(), |(_, rest)| rest);
    let outside = module.split("::").zip(inside).take_while(|(a, b)| a == *b);
    let below = inside.get(outside.count()..).unwrap_or_default();
    let names: Vec<&str> = below.iter().filter_map(|step| name_of(step)).collect();
    if names.is_empty() {
        // Only a text of an unknown form gets here; a name has to be sent all the same.
        return "unnamed".to_owned();
    }
    names.join(".")
}

/// The parts between the `::` that stand outside all brackets.
fn steps(path: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    let bytes = path.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            // The arrow of a function type is no bracket.
            b'>' if at > 0 && bytes.get(at - 1) == Some(&b'-') => {}
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => {
                if at > start {
                    steps.extend(path.get(start..at));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < path.len() {
        steps.extend(path.get(start..));
    }
    steps
}

/// What a step is called; `None` for closures, impl markers and generics of their own.
fn name_of(step: &str) -> Option<&str> {
    if let Some(inner) = step.strip_prefix('<') {
        return name_of_qualified(inner.strip_suffix('>').unwrap_or(inner));
    }
    // `{{closure}}`, `{closure#0}`, `{impl#1}`.
    if step.starts_with('{') {
        return None;
    }
    identifier(step)
}

/// `m::S as m::Tool`, `impl m::Tool for m::S`, `impl m::S`: the type's own name.
fn name_of_qualified(inner: &str) -> Option<&str> {
    let of = match inner.strip_prefix("impl ") {
        Some(implementation) => {
            let target = split_outside(implementation, " for ");
            target.map_or(implementation, |(_, target)| target)
        }
        None => split_outside(inner, " as ").map_or(inner, |(target, _)| target),
    };
    let mut target = of.trim();
    loop {
        let shorter = target
            .trim_start_matches(['&', '*', '(', '['])
            .trim_start_matches("mut ")
            .trim_start_matches("const ")
            .trim_start_matches("dyn ");
        if shorter == target {
            break;
        }
        target = shorter;
    }
    steps(target).last().and_then(|last| identifier(last))
}

/// Splits at the first `word` that stands outside all brackets.
fn split_outside<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    text.match_indices(word).find_map(|(at, _)| {
        let (before, after) = (text.get(..at)?, text.get(at + word.len()..)?);
        let count = |bracket: char| before.matches(bracket).count();
        let open = count('<') + count('(') + count('[');
        let closed = count('>') + count(')') + count(']') - before.matches("->").count();
        (open == closed).then_some((before, after))
    })
}

/// The leading identifier of a step, without generics; raw identifiers without `r#`.
fn identifier(step: &str) -> Option<&str> {
    let step = step.strip_prefix("r#").unwrap_or(step);
    let end = step
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(step.len());
    step.get(..end).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// What the attribute expands to, for the name's sake.
    macro_rules! here {
        () => {{
            fn here() {}
            function_name(std::any::type_name_of_val(&here), module_path!())
        }};
    }

    struct Plain;
    struct Wrap<T>(T);

    trait Tool {
        fn call(&self) -> String;
        fn default_call(&self) -> String {
            here!()
        }
    }

    impl Plain {
        fn method(&self) -> String {
            let _ = self;
            here!()
        }
        fn associated() -> String {
            here!()
        }
        fn r#match() -> String {
            here!()
        }
        async fn later(&self) -> String {
            std::future::ready(self).await;
            here!()
        }
    }

    impl<T: Debug> Wrap<T> {
        fn generic<U>(&self, _: U) -> String {
            let _ = &self.0;
            here!()
        }
    }

    impl Tool for Plain {
        fn call(&self) -> String {
            here!()
        }
    }

    impl<T> Tool for Wrap<Vec<T>> {
        fn call(&self) -> String {
            here!()
        }
    }

    impl Tool for &Plain {
        fn call(&self) -> String {
            here!()
        }
    }

    impl Tool for [u8] {
        fn call(&self) -> String {
            here!()
        }
    }

    impl Tool for Box<dyn Debug + Send> {
        fn call(&self) -> String {
            here!()
        }
    }

    impl Tool for fn(u8) -> u8 {
        fn call(&self) -> String {
            here!()
        }
    }

    mod deeper {
        impl super::Plain {
            pub(super) fn elsewhere() -> String {
                fn here() {}
                super::function_name(std::any::type_name_of_val(&here), module_path!())
            }
        }
        impl super::Tool for u8 {
            fn call(&self) -> String {
                fn here() {}
                super::function_name(std::any::type_name_of_val(&here), module_path!())
            }
        }
    }

    fn free() -> String {
        here!()
    }

    fn outer() -> String {
        fn inner() -> String {
            here!()
        }
        inner()
    }

    #[test]
    fn every_shape_of_function_has_its_name() {
        assert_eq!(free(), "free");
        assert_eq!(outer(), "outer.inner");
        assert_eq!(Plain.method(), "Plain.method");
        assert_eq!(Plain::associated(), "Plain.associated");
        assert_eq!(Plain::r#match(), "Plain.match");
        assert_eq!(Wrap(1).generic("x"), "Wrap.generic");
        assert_eq!(Plain.call(), "Plain.call");
        assert_eq!(Wrap(vec![1]).call(), "Wrap.call");
        assert_eq!(Plain.default_call(), "Tool.default_call");
        assert_eq!(<&Plain as Tool>::call(&&Plain), "Plain.call");
        assert_eq!([1_u8].as_slice().call(), "u8.call");
        let boxed: Box<dyn Debug + Send> = Box::new(1);
        assert_eq!(boxed.call(), "Box.call");
        let pointer: fn(u8) -> u8 = u8::reverse_bits;
        assert_eq!(Tool::call(&pointer), "fn.call");
        assert_eq!(Plain::elsewhere(), "Plain.elsewhere");
        assert_eq!(1_u8.call(), "u8.call");
    }

    #[test]
    fn closures_and_futures_leave_no_trace_in_the_name() {
        let closure = || here!();
        let expected = "closures_and_futures_leave_no_trace_in_the_name";
        assert_eq!(closure(), expected);
        let mut later = Box::pin(Plain.later());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(
            later.as_mut().poll(&mut context),
            Poll::Ready("Plain.later".to_owned())
        );
    }

    #[test]
    fn a_text_of_unknown_form_still_gives_a_name() {
        for odd in ["", "::", "<", "{{closure}}::x", "a::b", "<<<>>::::"] {
            let name = function_name(odd, "a");
            assert!(!name.trim().is_empty(), "{odd}");
        }
    }
}
