//! Loading policies: what is refused, and what the refusal says.

use std::fmt::Write as _;

use sernixa_engine::Policy as _;
use sernixa_engine::cedar::{Fault, LoadError, MAX_POLICIES, MAX_TEXT_BYTES, PolicySet, Sources};

use crate::cedar::{ASK, METADATA, RUN, load};

fn faults(policies: &str, metadata: &str) -> Vec<Fault> {
    let error = load(&[policies], metadata).expect_err(policies);
    error.faults().to_vec()
}

/// The one fault of these policies.
fn fault(policies: &str) -> Fault {
    let mut faults = faults(policies, METADATA);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

fn when(condition: &str) -> String {
    format!("@id(\"p\")\npermit (principal, action, resource)\nwhen {{ {condition} }};")
}

#[test]
fn every_fault_of_a_load_is_told_with_its_place() {
    let sources = Sources::new()
        .policies("a.cedar", "permit (principal, action, resource);\n\n@id(\"x y\") forbid (principal, action, resource);")
        .policies("b.cedar", "@id(\"one\")\npermit (principal, action, resource)\nwhen { context.risk == };\n@id(\"two\") permit (principal, action, resource)\nwhen {\n  context.nothing\n};")
        .policies("c.cedar", "@id(\"three\") permit (principal, action, resource);@id(\"three\") forbid (principal, action, resource);")
        .metadata("metadata.cedarschema", "type Metadata = { a: Long, b?: decimal };")
        .zone("Mars/Olympus");
    let error = PolicySet::load(&sources).unwrap_err();
    let told = error.to_string();
    for expected in [
        "the time zone \"Mars/Olympus\" is not known (fix: ",
        "a.cedar:1:1: a policy has no `@id` (fix: ",
        "a.cedar:3:1: \"x y\" is no `@id` (fix: ",
        "b.cedar:3:24: ",
        "c.cedar:1:51: policy `three`: its `@id` is taken by the policy at c.cedar:1 (fix: ",
        "metadata.cedarschema:1:19: the member `a` must be optional (fix: ",
        "metadata.cedarschema:1:28: the member `b` has a type that metadata cannot have (fix: ",
    ] {
        assert!(told.contains(expected), "{expected}\n---\n{told}");
    }
    // Without a schema there is nothing to validate against; with one, the rest is told.
    let sources = sources.metadata("metadata.cedarschema", METADATA);
    let told = PolicySet::load(&sources).unwrap_err().to_string();
    assert!(told.contains("b.cedar:6:3: policy `two`: "), "{told}");
    assert!(told.lines().all(|line| !line.trim().is_empty()));
}

#[test]
fn what_cannot_be_validated_strictly_is_refused() {
    for (condition, says) in [
        ("context.metadata.cents > 5", "cents"),
        (
            "context.metadata has cents && context.metadata.cents == \"5\"",
            "type",
        ),
        ("context.risk == \"high\"", "type"),
        ("context.riks == 1", "riks"),
        ("principal.name == \"x\"", "name"),
        ("principal in Sernixa::Team::\"x\"", "Team"),
        ("action == Sernixa::Action::\"run\"", "run"),
        ("principal == Sernixa::Tool::\"x\"", ""),
        ("context.risk > 1.5", ""),
        ("context.systems == []", ""),
    ] {
        let faults = faults(&when(condition), METADATA);
        assert!(
            faults.iter().any(|fault| fault.what.contains(says)),
            "{condition}: {faults:?}"
        );
        assert!(
            faults
                .iter()
                .all(|fault| fault.file == "test.cedar" && fault.line >= 1)
        );
    }
}

/// Cedar warns of these and goes on; a `forbid` that can never match protects nothing.
#[test]
fn what_cedar_warns_of_is_refused_too() {
    let misspelt = fault(&when("context.metadata has cnets"));
    assert_eq!(misspelt.policy.as_deref(), Some("p"));
    fault(&when("false"));
    fault(&when("context.data_sensitivity == \"рii\""));
    fault(&when("context.data_sensitivity == \"x\u{202e}y\""));
}

#[test]
fn a_word_that_can_never_be_equal_is_refused() {
    let capital = fault(&when("context.data_sensitivity == \"PII\""));
    assert_eq!(
        capital.what,
        "`context.data_sensitivity` is in lower case and never \"PII\": write \"pii\""
    );
    fault(&when(
        "[\"read\", \"Update\"].contains(context.operation_class)",
    ));
    fault(&when("\"High\" != context.risk_level || context.risk == 1"));
    load(
        &[&when(
            "context.metadata has region && context.metadata.region == \"EU\"",
        )],
        METADATA,
    )
    .unwrap();
}

#[test]
fn templates_and_texts_that_are_no_policies_are_refused() {
    for text in [
        "@id(\"t\") permit (principal == ?principal, action, resource);",
        "@id(\"t\") permit (principal, action, resource)",
        "nonsense",
        ";",
        "\"no end",
        "@id(\"t\") permit (principal, action, resource) when { \"\u{0}\" == \"\" }; }",
        "@id permit (principal, action, resource);",
        "@id(\"\") permit (principal, action, resource);",
        "@id(\"a\")@id(\"b\") permit (principal, action, resource);",
        "@id(\"a\nb\") permit (principal, action, resource);",
        "@id(\"a\")@reason(\"\") permit (principal, action, resource);",
        "@id(\"a\")@reason(\"two\\nlines\") permit (principal, action, resource);",
    ] {
        assert!(!faults(text, METADATA).is_empty(), "{text}");
    }
}

#[test]
fn a_set_without_policies_is_refused() {
    for text in ["", "  \n// nothing yet\n"] {
        assert!(
            fault(text).what.contains("there are no policies"),
            "{text:?}"
        );
    }
}

#[test]
fn metadata_is_optional_members_of_four_types_and_nothing_else() {
    for good in [
        "type Metadata = { };",
        "type Metadata = { a?: Bool, b?: Long, c?: String, d?: Set<String>, };",
        "namespace Sernixa { type Metadata = { a?: Long }; }",
        "type Metadata = { \"with space \\\" and \\\\\"?: Long, \"é\"?: String };",
        "",
        "// none\n",
    ] {
        if good.trim().is_empty() || good.starts_with("//") {
            assert!(load(&[ASK], good).is_err());
            continue;
        }
        load(&[ASK], good).unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    for bad in [
        "type Metadata = { a: Long };",
        "type Metadata = { a?: Set<Long> };",
        "type Metadata = { a?: Set<Set<String>> };",
        "type Metadata = { a?: { b?: Long } };",
        "type Metadata = { a?: decimal };",
        "type Metadata = { a?: ipaddr };",
        "type Metadata = { a?: datetime };",
        "entity E; type Metadata = { a?: E };",
        "entity E; type Metadata = { a?: Long };",
        "type Metadata = { a?: Long }; type Other = Long;",
        "type Meta = { a?: Long };",
        "type Metadata = Long;",
        "action x; type Metadata = { a?: Long };",
        "namespace Other { type Metadata = { a?: Long }; }",
        "namespace Sernixa { type Metadata = { a?: Long }; } type Metadata = { a?: Long };",
        "type Metadata = { a?: Long, a?: Long };",
        "type Long = String; type Metadata = { a?: Long };",
        "type Metadata = { a?: Long",
        "{}",
    ] {
        let error = load(&[ASK], bad).expect_err(bad);
        assert!(
            error
                .faults()
                .iter()
                .all(|fault| fault.file == "metadata.cedarschema"),
            "{bad}: {error}"
        );
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_parsed() {
    let large = format!("// {}\n{ASK}", "x".repeat(MAX_TEXT_BYTES));
    assert!(fault(&large).what.contains("longer than 1 MiB"));
    let long = when(&format!("context.risk_level == \"{}\"", "x".repeat(70_000)));
    assert!(fault(&long).what.contains("longer than 64 KiB"));
    let mut many = String::new();
    for number in 0..=MAX_POLICIES {
        let _ = writeln!(many, "@id(\"{number}\")permit(principal,action,resource);");
    }
    assert!(fault(&many).what.contains("more than 10000 policies"));
    let text = ASK.repeat(10_000);
    let sources = (0..20).fold(Sources::new(), |sources, at| {
        sources.policies(format!("{at}"), &*text)
    });
    let error = PolicySet::load(&sources).unwrap_err();
    assert_eq!(error.faults()[0].what, "the policies hold more than 8 MiB");
}

#[test]
fn a_policy_that_nests_too_deeply_is_refused_and_takes_no_stack() {
    const LEVELS: usize = 20_000;
    let nested = |open: &str, inner: &str, close: &str| {
        when(&format!(
            "{}{inner}{}",
            open.repeat(LEVELS / 4),
            close.repeat(LEVELS / 4)
        ))
    };
    for text in [
        nested("(", "true", ")"),
        nested("[", "1", "]"),
        nested("!(", "true", ")"),
        nested("if true then ", "true", " else false"),
        nested("", "true", " && true"),
        nested("", "true", " || true"),
        nested("", "1", " + 1"),
        nested("{a: ", "1", "}"),
        nested("", "context", ".a"),
        nested("", "context", ".a()"),
        nested("", "context", "[\"a\"]"),
        "(".repeat(60_000),
        "@id(\"a\")".repeat(8_000),
    ] {
        let error = load(&[&text], METADATA).expect_err("it is too deep");
        assert!(!error.faults().is_empty());
    }
    let sets = format!("{}Long{}", "Set<".repeat(250), ">".repeat(250));
    for schema in [
        format!("type Metadata = {{ a?: {sets} }};"),
        "{".repeat(60_000),
        format!("type Metadata = {{ a?: {}", "Set<".repeat(60_000)),
    ] {
        assert!(load(&[ASK], &schema).is_err());
    }
}

/// On a thread with little stack, too: without optimisation Cedar takes tens of KiB a level.
#[test]
fn the_deepest_policy_that_is_taken_is_judged_on_a_small_stack() {
    let chain = vec!["context.risk == 9"; 200].join(" || ");
    let nested = format!("{}context.risk == 1{}", "(".repeat(200), ")".repeat(200));
    let negated = format!("{}context.risk == 1{}", "!(".repeat(100), ")".repeat(100));
    let texts = [chain, nested, negated].map(|condition| {
        format!(
            "{ASK}{}",
            when(&condition).replace("action,", "action == Sernixa::Action::\"proceed\",")
        )
    });
    std::thread::Builder::new()
        .stack_size(512 << 10)
        .spawn(move || {
            for (text, status) in texts.iter().zip([202, 200, 200]) {
                let bench = crate::cedar::under(&[text]);
                let draft = crate::support::Draft::read();
                let answer = bench.submit(&crate::support::agent(), &draft.body());
                assert_eq!(answer.status, status, "{}", answer.body);
            }
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn an_error_is_one_line_for_each_fault_whatever_is_in_the_text() {
    let error: LoadError = load(
        &["@id(\"\u{1b}[31m\n\u{202e}\") permit (principal, action, resource);"],
        METADATA,
    )
    .unwrap_err();
    let told = error.to_string();
    assert_eq!(told.lines().count(), error.faults().len());
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
}

#[test]
fn thousands_of_policies_load_and_answer() {
    let mut text = format!("{ASK}\n{RUN}\n");
    for number in 0..3_000 {
        let _ = writeln!(
            text,
            "@id(\"f{number}\") forbid (principal, action, resource == Sernixa::Tool::\"t{number}\") when {{ context.risk > 1 }};"
        );
    }
    let bench = crate::cedar::under(&[&text]);
    let ask = |tool: &str, risk: &str| {
        let draft = crate::support::Draft::new(risk, "read").top("action_id", tool);
        bench.submit(&crate::support::agent(), &draft.body()).status
    };
    assert_eq!(
        (
            ask("t2999", "medium"),
            ask("t2999", "low"),
            ask("t3000", "medium")
        ),
        (403, 200, 200)
    );
}

#[test]
fn a_digest_does_not_change_between_builds() {
    let set =
        PolicySet::load(&Sources::new().policies("default.cedar", PolicySet::DEFAULT)).unwrap();
    assert_eq!(
        set.digest().to_string(),
        "38aff5149e15a91fd9136ed4492fd2f5f3d4e06b5c3592b8ab8c001a86f002a7"
    );
}
