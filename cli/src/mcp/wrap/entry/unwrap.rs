//! What lets a server stand on its own again.

use sernixa_protocol::json::Node;

use super::super::text::{Edit, member_range, quoted};
use super::{HTTP, Reason, arguments};

/// A wrapped server, taken apart.
struct Wrapped<'d> {
    text: &'d str,
    members: Vec<(Node<'d>, Node<'d>)>,
    args: Vec<Node<'d>>,
    /// What the arguments say.
    words: Vec<String>,
    /// How many of them come before `--`.
    options: usize,
}

/// What lets a wrapped server stand on its own again.
pub(in super::super) fn unwrap<'d>(text: &'d str, server: Node<'d>) -> Result<Vec<Edit>, Reason> {
    let args = arguments(server);
    let word = |node: &Node<'_>| node.as_str().unwrap_or_default().into_owned();
    let words: Vec<String> = args.iter().map(word).collect();
    let wrapped = Wrapped {
        text,
        members: server.members().collect(),
        options: words.iter().take_while(|word| *word != "--").count(),
        args,
        words,
    };
    let was = wrapped.given("--wrapped");
    let was: Vec<&str> = was
        .first()
        .map_or(Vec::new(), |(_, was)| was.split(',').collect());
    if was.contains(&"command") {
        wrapped.command(was.contains(&"args"))
    } else {
        wrapped.url(&was)
    }
}

impl<'d> Wrapped<'d> {
    /// The values of an option.
    fn given(&self, name: &str) -> Vec<(Node<'d>, &str)> {
        let options = self.words.iter().take(self.options).enumerate();
        let values = options
            .filter(|(_, word)| *word == name)
            .map(|(at, _)| at + 1);
        values
            .filter_map(|at| Some((*self.args.get(at)?, self.words.get(at)?.as_str())))
            .collect()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|(key, _)| key.is(name))
    }

    fn member(&self, name: &str) -> Result<(Node<'d>, Node<'d>), Reason> {
        let found = self.position(name).and_then(|at| self.members.get(at));
        found
            .copied()
            .ok_or_else(|| format!("its `{name}` is gone"))
    }

    /// The removal of a member, if it is there.
    fn without(&self, name: &str) -> Option<Edit> {
        member_range(&self.members, self.position(name)?).map(Edit::remove)
    }

    /// The command after `--` is the host's to start again, with all arguments that follow.
    fn command(&self, had_args: bool) -> Result<Vec<Edit>, Reason> {
        let (_, command) = self.member("command")?;
        let (_, list) = self.member("args")?;
        let (Some(first), Some(original)) = (self.args.first(), self.args.get(self.options + 1))
        else {
            return Err("the command after `--` is gone".to_owned());
        };
        let mut edits = vec![Edit::new(command.range(), original.raw())];
        let start = first.range().start;
        match self.args.get(self.options + 2) {
            Some(rest) => edits.push(Edit::remove(start..rest.range().start)),
            None if !had_args => edits.extend(self.without("args")),
            None => {
                let (list, end) = (list.range(), original.range().end);
                // A trailing comma, which nothing may stand before any more.
                let has_comma = self
                    .text
                    .get(end..list.end)
                    .is_some_and(|end| end.contains(','));
                edits.push(if has_comma {
                    Edit::new(list, "[]")
                } else {
                    Edit::remove(start..end)
                });
            }
        }
        Ok(edits)
    }

    /// The upstream is the host's to reach again.
    fn url(&self, was: &[&str]) -> Result<Vec<Edit>, Reason> {
        let (key, value) = self.member("command")?;
        let upstreams = self.given("--upstream");
        let [(upstream, word)] = upstreams.as_slice() else {
            return Err("its `--upstream` is gone, or there are two".to_owned());
        };
        let env = self.member("env").ok();
        let variable = word.strip_prefix("env:");
        let url = match variable {
            None => *upstream,
            Some(name) => env
                .and_then(|(_, env)| env.get(name))
                .ok_or("the variable of its URL is gone")?,
        };
        let mut edits = vec![
            Edit::new(key.range(), quoted("url")),
            Edit::new(value.range(), url.raw()),
        ];
        edits.extend(self.without("args"));
        let kind = was.iter().find(|word| HTTP.contains(*word));
        if let (Ok((_, found)), Some(kind)) = (self.member("type"), kind) {
            edits.push(Edit::new(found.range(), quoted(kind)));
        }
        if let Some((key, env)) = env {
            let headers = self.given("--header");
            let variables = Variables {
                members: env.members().collect(),
                headers: headers
                    .iter()
                    .filter_map(|(_, word)| word.split_once("=env:"))
                    .collect(),
                url: variable,
            };
            if variables.are_all_ours() && !variables.has_headers() && !was.contains(&"headers") {
                edits.extend(self.without("env"));
            } else if variables.are_all_ours() {
                edits.push(Edit::new(key.range(), quoted("headers")));
                edits.extend(variables.renamed());
            } else {
                edits.push(Edit::new(env.range(), variables.parted()));
            }
        }
        Ok(edits)
    }
}

/// The variables of a server that is reached by URL: its headers, its URL, and what somebody added.
struct Variables<'d, 'a> {
    members: Vec<(Node<'d>, Node<'d>)>,
    /// The headers, each with the variable of its value.
    headers: Vec<(&'a str, &'a str)>,
    /// The variable of the URL.
    url: Option<&'a str>,
}

impl Variables<'_, '_> {
    /// The header that a variable carries.
    fn header(&self, key: Node<'_>) -> Option<&str> {
        let found = self.headers.iter().find(|(_, variable)| key.is(variable));
        found.map(|(name, _)| *name)
    }

    fn is_url(&self, key: Node<'_>) -> bool {
        self.url.is_some_and(|variable| key.is(variable))
    }

    fn are_all_ours(&self) -> bool {
        let mut keys = self.members.iter().map(|(key, _)| *key);
        keys.all(|key| self.is_url(key) || self.header(key).is_some())
    }

    fn has_headers(&self) -> bool {
        self.members
            .iter()
            .any(|(key, _)| self.header(*key).is_some())
    }

    /// Each variable under the name of its header, in its place.
    fn renamed(&self) -> Vec<Edit> {
        let members = self.members.iter().enumerate();
        members
            .filter_map(|(at, (key, _))| match self.header(*key) {
                Some(name) => Some(Edit::new(key.range(), quoted(name))),
                None => member_range(&self.members, at).map(Edit::remove),
            })
            .collect()
    }

    /// What somebody added stays in `env`, and the headers get a member of their own.
    fn parted(&self) -> String {
        let joined = |parts: Vec<String>| format!("{{{}}}", parts.join(", "));
        let (mut headers, mut others) = (Vec::new(), Vec::new());
        for (key, value) in &self.members {
            match self.header(*key) {
                Some(name) => headers.push(format!("{}: {}", quoted(name), value.raw())),
                None if self.is_url(*key) => {}
                None => others.push(format!("{}: {}", key.raw(), value.raw())),
            }
        }
        if headers.is_empty() {
            return joined(others);
        }
        format!("{}, \"headers\": {}", joined(others), joined(headers))
    }
}
