//! Names that announce a secret: `password`, `client_secret`, `X-Api-Key`, `dbPassword`, …

/// How sure a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announces {
    /// What it names is secret, whatever it looks like.
    Secret,
    /// It often names a secret, and often something harmless: `token`, `authorization`.
    Perhaps,
}

/// Names that count as the end of a longer one, written in any case and with any separators:
/// `stripeApiKey`, `db-password`, `ACCESS_TOKEN`. By their last letter, which rules out most.
const fn endings(last: u8) -> &'static [&'static str] {
    match last {
        b'd' => &["password", "passwd"],
        b'e' => &["passphrase", "passcode"],
        b'n' => &[
            "accesstoken",
            "authtoken",
            "bearertoken",
            "refreshtoken",
            "sessiontoken",
        ],
        b's' => &["passwords", "apikeys"],
        b't' => &["clientsecret"],
        b'y' => &[
            "apikey",
            "secretkey",
            "privatekey",
            "accesskey",
            "signingkey",
            "encryptionkey",
            "masterkey",
            "sessionkey",
        ],
        _ => &[],
    }
}

/// Names that count as a word of their own at the end: `client_secret`, not `nosecret`.
const fn words(last: u8) -> &'static [(&'static str, Announces)] {
    match last {
        b'd' => &[("pwd", Announces::Secret)],
        b'l' => &[("credential", Announces::Perhaps)],
        b'n' => &[
            ("token", Announces::Perhaps),
            ("authorization", Announces::Perhaps),
        ],
        b's' => &[
            ("secrets", Announces::Secret),
            ("credentials", Announces::Perhaps),
        ],
        b't' => &[("secret", Announces::Secret)],
        _ => &[],
    }
}

/// Endings in `token` that page through lists, count, or guard forms.
const HARMLESS: &[&str] = &["pagetoken", "nexttoken", "continuationtoken", "maxtoken"];

/// What `name` announces. A number at its end does not matter: `password2`.
pub(super) fn announces(name: &[u8]) -> Option<Announces> {
    let end = name.iter().rposition(u8::is_ascii_alphabetic)? + 1;
    let name = name.get(..end)?;
    let last = name.last()?.to_ascii_lowercase();
    if endings(last)
        .iter()
        .any(|ending| ends_with(name, ending).is_some())
    {
        return Some(Announces::Secret);
    }
    let &(_, sure) = words(last)
        .iter()
        .find(|(word, _)| ends_with(name, word).is_some_and(|start| begins_word(name, start)))?;
    let harmless = HARMLESS
        .iter()
        .any(|ending| ends_with(name, ending).is_some());
    (!harmless).then_some(sure)
}

/// Where `ending` begins in `name`, if `name` ends with it, case and separators apart.
fn ends_with(name: &[u8], ending: &str) -> Option<usize> {
    let mut at = name.len();
    for &wanted in ending.as_bytes().iter().rev() {
        loop {
            at = at.checked_sub(1)?;
            let byte = *name.get(at)?;
            if byte.eq_ignore_ascii_case(&wanted) {
                break;
            }
            if !matches!(byte, b'_' | b'-' | b' ' | b'.') {
                return None;
            }
        }
    }
    Some(at)
}

/// Whether a word begins at `start`: nothing, a separator or digit before it, or `fooSecret`.
fn begins_word(name: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(1).and_then(|at| name.get(at)) else {
        return true;
    };
    let hump = name.get(start).is_some_and(u8::is_ascii_uppercase) && before.is_ascii_lowercase();
    hump || !before.is_ascii_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        for name in [
            "password",
            "PASSWORD",
            "dbPassword",
            "db-password",
            "userpassword2",
            "secret",
            "clientSecret",
            "client_secret",
            "api_key",
            "X-Api-Key",
            "apikey",
            "stripe.api.key",
            "private key",
            "access_token",
            "aws_secret_access_key",
            "PGPASSWD",
            "pwd",
            "webhook_secret_1",
            "passphrase",
            "SECRET_KEY",
        ] {
            assert_eq!(
                announces(name.as_bytes()),
                Some(Announces::Secret),
                "{name}"
            );
        }
        for name in [
            "token",
            "csrf_token",
            "authorization",
            "Authorization",
            "aws_credentials",
        ] {
            assert_eq!(
                announces(name.as_bytes()),
                Some(Announces::Perhaps),
                "{name}"
            );
        }
    }

    #[test]
    fn names_of_other_things_are_not() {
        for name in [
            "",
            "_",
            "7",
            "note",
            "amount",
            "idempotency_key",
            "primary_key",
            "public_key",
            "keys",
            "tokens",
            "max_tokens",
            "token_count",
            "tokenizer",
            "secretary",
            "password_policy",
            "password_reset_url",
            "next_page_token",
            "nextPageToken",
            "kwargs_keys",
            "nosecret",
            "system",
            "currency",
            "día",
        ] {
            assert_eq!(announces(name.as_bytes()), None, "{name}");
        }
    }
}
