//! `key = value, …`, read once for all attributes: unknown and doubled keys, values of the wrong
//! kind and leftovers are reported here, and reading goes on at the next comma.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, discouraged::Speculative};
use syn::{Ident, Token};

use crate::faults::Faults;
use crate::suggest;

/// A closed set of keys.
pub(crate) trait Key: Copy + PartialEq + 'static {
    const ALL: &'static [Self];
    /// The key as it is written.
    fn name(self) -> &'static str;
    /// What its value may be, to follow "takes".
    fn takes(self) -> &'static str;
}

/// An enum that is a [`Key`]: each variant with its name and what it takes.
macro_rules! keys {
    ($(#[$meta:meta])* $vis:vis enum $Keys:ident { $($Key:ident = $name:literal, $takes:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq)]
        $vis enum $Keys { $($Key),+ }

        impl $crate::attr::pairs::Key for $Keys {
            const ALL: &'static [Self] = &[$(Self::$Key),+];

            fn name(self) -> &'static str {
                match self { $(Self::$Key => $name),+ }
            }

            fn takes(self) -> &'static str {
                match self { $(Self::$Key => $takes),+ }
            }
        }
    };
}
pub(crate) use keys;

/// Why a value was not read.
pub(crate) enum Misfit {
    /// It is not of a kind that the key takes: the message says what is.
    Kind,
    /// It is, but has a mistake of its own.
    Fault(syn::Error),
}

impl From<syn::Error> for Misfit {
    fn from(fault: syn::Error) -> Self {
        Self::Fault(fault)
    }
}

/// The keys that were written, readable or not.
pub(crate) struct Found<K> {
    keys: Vec<K>,
    /// Something was no `key = value`: it may have been meant for a key that seems to be missing.
    strange: bool,
}

/// Reads pairs to the end of `input`, handing each value to `set`.
pub(crate) fn read<K: Key>(
    input: ParseStream,
    faults: &mut Faults,
    mut set: impl FnMut(K, ParseStream) -> Result<(), Misfit>,
) -> Found<K> {
    let mut found = Found {
        keys: Vec::new(),
        strange: false,
    };
    while !input.is_empty() {
        if let Err(fault) = pair(input, &mut found, &mut set) {
            faults.push(fault);
        }
        to_next_comma(input);
        let _comma: syn::Result<Token![,]> = input.parse();
    }
    found
}

impl<K: Key> Found<K> {
    /// Reports which of `required` were not written; the attribute itself is where they are missing.
    pub(crate) fn require(&self, required: &[K], faults: &mut Faults) {
        if self.strange {
            return;
        }
        let missing = required.iter().filter(|key| !self.keys.contains(key));
        let missing: Vec<String> = missing
            .map(|key| format!("`{} = …` takes {}", key.name(), key.takes()))
            .collect();
        let message = match missing.as_slice() {
            [] => return,
            [only] => format!("a key is missing: {only}"),
            several => format!("keys are missing:\n  {}", several.join("\n  ")),
        };
        faults.at(Span::call_site(), message);
    }
}

fn pair<K: Key>(
    input: ParseStream,
    found: &mut Found<K>,
    set: &mut impl FnMut(K, ParseStream) -> Result<(), Misfit>,
) -> syn::Result<()> {
    let Ok(written) = input.call(Ident::parse_any) else {
        found.strange = true;
        let what = rest_of_value(input);
        return Err(syn::Error::new_spanned(
            what,
            format!("expected `key = value`; {}", allowed::<K>()),
        ));
    };
    let name = written.unraw().to_string();
    let Some(key) = K::ALL.iter().copied().find(|key| key.name() == name) else {
        found.strange = true;
        let hint = suggest::hint(&name, K::ALL.iter().map(|key| key.name()));
        let message = format!("unknown key `{name}`:{hint} {}", allowed::<K>());
        return Err(syn::Error::new(written.span(), message));
    };
    if found.keys.contains(&key) {
        let message = format!("`{name}` is given twice: keep one of them");
        return Err(syn::Error::new(written.span(), message));
    }
    found.keys.push(key);
    if input.parse::<Token![=]>().is_err() {
        let message = format!(
            "`{name}` needs a value: write `{name} = …`; it takes {}",
            key.takes()
        );
        return Err(syn::Error::new(written.span(), message));
    }
    value(key, &written, input, set)
}

fn value<K: Key>(
    key: K,
    written: &Ident,
    input: ParseStream,
    set: &mut impl FnMut(K, ParseStream) -> Result<(), Misfit>,
) -> syn::Result<()> {
    let ahead = input.fork();
    let misfit = match set(key, &ahead) {
        Ok(()) if ahead.is_empty() || ahead.peek(Token![,]) => {
            input.advance_to(&ahead);
            return Ok(());
        }
        // Something follows what was read, so the whole is of another kind.
        Ok(()) => Misfit::Kind,
        Err(misfit) => misfit,
    };
    let whole = rest_of_value(input);
    match misfit {
        Misfit::Fault(fault) => Err(fault),
        Misfit::Kind => {
            let message = format!("`{}` takes {}", key.name(), key.takes());
            if whole.is_empty() {
                return Err(syn::Error::new(written.span(), message));
            }
            Err(syn::Error::new_spanned(whole, message))
        }
    }
}

fn allowed<K: Key>() -> String {
    let names: Vec<&str> = K::ALL.iter().map(|key| key.name()).collect();
    match names.as_slice() {
        [only] => format!("the only key is `{only}`"),
        several => format!("the keys are {}", several.join(", ")),
    }
}

fn rest_of_value(input: ParseStream) -> TokenStream {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        match input.parse::<TokenTree>() {
            Ok(token) => tokens.extend([token]),
            Err(_) => break,
        }
    }
    tokens
}

fn to_next_comma(input: ParseStream) {
    let _skipped = rest_of_value(input);
}
