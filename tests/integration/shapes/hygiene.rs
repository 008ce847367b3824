//! Nothing in scope gets into the expansion, and nothing of the expansion gets out.

use super::{proves, proves_async};

/// Every name that an expansion might use, meaning something else.
mod shadowed {
    #![allow(
        dead_code,
        unused_macros,
        non_camel_case_types,
        non_snake_case,
        non_upper_case_globals,
        reason = "shadows"
    )]

    use ::sernixa::intercept;

    use super::super::began;

    mod core {}
    mod std {}
    mod alloc {}
    mod linkme {}
    mod sernixa {}
    mod __private {}

    pub struct Result;
    pub struct Option;
    pub struct String;
    pub struct Box;
    pub struct Call;
    pub struct Argument;
    pub struct Facts;
    pub struct Callsite;
    pub trait Fn {}
    pub trait Future {}
    pub trait Send {}
    pub trait From {}

    fn Ok() {}
    fn Err() {}
    fn Some() {}
    const None: u8 = 0;
    fn drop() {}
    fn once() {}
    fn reads() {}
    fn refuse() {}
    fn authorize() {}
    fn authorize_blocking() {}

    macro_rules! format {
        ($($t:tt)*) => {
            compile_error!("shadowed")
        };
    }
    macro_rules! line {
        ($($t:tt)*) => {
            compile_error!("shadowed")
        };
    }
    macro_rules! file {
        ($($t:tt)*) => {
            compile_error!("shadowed")
        };
    }
    macro_rules! module_path {
        ($($t:tt)*) => {
            compile_error!("shadowed")
        };
    }
    macro_rules! vec {
        ($($t:tt)*) => {
            compile_error!("shadowed")
        };
    }
    macro_rules! panic {
        ($($t:tt)*) => {
            compile_error!("shadowed")
        };
    }

    /// Methods on everything, called like ours.
    pub trait OnEverything {
        fn captured(&self) -> u8 {
            0
        }
        fn report(&self, _: u8) -> u8 {
            0
        }
        fn finish(&self) -> u8 {
            0
        }
        fn prepare(&self) -> u8 {
            0
        }
        fn arguments(&self) -> u8 {
            0
        }
        fn client(&self) -> u8 {
            0
        }
    }
    impl<T: ?Sized> OnEverything for T {}

    type Answer = ::core::result::Result<u8, ::sernixa::Error>;

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], metadata = { a: a }, summary = "{a}")]
    pub fn function(a: u8, (b, c): (u8, u8)) -> Answer {
        began();
        Answer::Ok(a + b + c)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], metadata = { a: a }, summary = "{a}")]
    pub async fn async_function(a: u8, (b, c): (u8, u8)) -> Answer {
        began();
        Answer::Ok(a + b + c)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub fn future(a: u8) -> impl ::core::future::Future<Output = Answer> {
        began();
        async move { Answer::Ok(a) }
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub fn boxed(
        a: u8,
    ) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = Answer>>> {
        began();
        ::std::boxed::Box::pin(async move { Answer::Ok(a) })
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], refused = super::nothing)]
    pub fn refused(a: u8) -> ::core::option::Option<u8> {
        began();
        ::core::option::Option::Some(a)
    }
}

fn nothing(_: sernixa::Error) -> Option<u8> {
    None
}

#[tokio::test]
async fn nothing_in_scope_shadows_the_expansion() {
    assert_eq!(proves(|| shadowed::function(1, (2, 3))), 6);
    assert_eq!(
        proves_async(async || shadowed::async_function(1, (2, 3)).await).await,
        6
    );
    assert_eq!(proves_async(async || shadowed::future(1).await).await, 1);
    assert_eq!(proves_async(async || shadowed::boxed(1).await).await, 1);
    assert_eq!(proves(|| shadowed::refused(1).ok_or(super::REASON)), 1);
}

mod our_names {
    use sernixa::{Error, intercept};

    use super::super::began;

    static CALLSITE: u8 = 1;

    /// Arguments and locals called as ours are.
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], metadata = { prepared: prepared, running: running, sum: out + error }, summary = "{future}")]
    #[allow(clippy::too_many_arguments, reason = "names")]
    pub fn function(
        prepared: u8,
        running: u8,
        out: u8,
        error: u8,
        future: u8,
        argument_6: u8,
        _: u8,
        bindings_1: u8,
    ) -> Result<u8, Error> {
        began();
        let site = CALLSITE;
        Ok(prepared + running + out + error + future + argument_6 + bindings_1 + site)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub async fn async_function(
        prepared: u8,
        running: u8,
        out: u8,
        error: u8,
    ) -> Result<u8, Error> {
        began();
        let prepared = prepared + 1;
        Ok(prepared + running + out + error)
    }

    /// An item of the body that has the name of an argument, and of a thing of ours.
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub fn items(n: u8) -> Result<u8, Error> {
        began();
        let m = n;
        {
            fn __sernixa_here() -> u8 {
                1
            }
            Ok(m + __sernixa_here())
        }
    }
}

#[tokio::test]
async fn our_names_are_the_users_to_use() {
    assert_eq!(proves(|| our_names::function(1, 1, 1, 1, 1, 1, 1, 1)), 8);
    assert_eq!(
        proves_async(async || our_names::async_function(1, 1, 1, 1).await).await,
        5
    );
    assert_eq!(proves(|| our_names::items(1)), 2);
}

mod made_by_macros {
    use std::future::Future;

    use sernixa::{Error, intercept};

    use super::super::began;

    /// The attribute is the macro's, the function is made of what it is given.
    macro_rules! governed {
        ($vis:vis $name:ident($($argument:ident: $type:ty),*) $body:block $summary:literal { $($key:ident: $value:expr),* }) => {
            #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], metadata = { $($key: $value),* }, summary = $summary)]
            $vis fn $name($($argument: $type),*) -> Result<u8, Error> $body
        };
    }

    governed!(pub of_parts(a: u8, b: u8) { began(); Ok(a + b) } "{a} and {b}" { sum: a + b });

    /// Arguments that nobody outside can name.
    macro_rules! own_arguments {
        ($name:ident, $body:expr) => {
            #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], metadata = { own: own }, summary = "{own}")]
            pub fn $name(own: u8) -> Result<u8, Error> {
                began();
                let prepared = $body;
                Ok(own + prepared)
            }
        };
    }

    own_arguments!(of_own_arguments, 1);

    /// The function comes whole, `self` and all.
    macro_rules! around {
        ($item:item) => {
            #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
            $item
        };
    }

    around! {
        pub async fn of_an_item((a, b): (u8, u8)) -> Result<u8, Error> {
            began();
            Ok(a + b)
        }
    }

    pub struct Shop(pub u8);

    macro_rules! methods {
        ($($name:ident by $me:ident: $receiver:ty => $body:expr;)*) => {
            impl Shop {
                $(
                    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], metadata = { own: $me.0 })]
                    pub fn $name($me: $receiver) -> Result<u8, Error> {
                        began();
                        Ok($body)
                    }
                )*
            }
        };
    }

    methods! {
        by_reference by self: &Self => self.0;
        by_value by self: Self => self.0 + 1;
    }

    macro_rules! keys {
        ($intent:expr, $risk:literal, $systems:expr, $path:path, $return:ty, $future:ident) => {
            #[intercept(intent_id = $path, risk_level = $risk, operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
            pub fn of_fragments() -> $return {
                began();
                Ok(1)
            }

            #[intercept(intent_id = $path, risk_level = $risk, operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
            pub fn future_of_fragments() -> impl $future<Output = $return> {
                began();
                async { Ok(1) }
            }
        };
    }

    keys!("shape", "low", ["test"], super::super::INTENT, Result<u8, Error>, Future);
}

#[tokio::test]
async fn attributes_and_functions_come_out_of_macros() {
    use made_by_macros::{Shop, of_an_item, of_fragments, of_own_arguments, of_parts};
    assert_eq!(proves(|| of_parts(1, 2)), 3);
    assert_eq!(proves(|| of_own_arguments(1)), 2);
    assert_eq!(proves_async(async || of_an_item((1, 2)).await).await, 3);
    assert_eq!(proves(|| Shop(1).by_reference()), 1);
    assert_eq!(proves(|| Shop(1).by_value()), 2);
    assert_eq!(proves(of_fragments), 1);
    assert_eq!(
        proves_async(async || made_by_macros::future_of_fragments().await).await,
        1
    );
}
