//! The OpenAPI document is true: schemathesis finds no 500 and no answer that it does not describe.

use crate::support::asked::Asked;
use crate::support::house::House;
use crate::support::{flag, python};

#[test]
fn schemathesis_finds_no_500_and_no_violation_of_the_schema() {
    let Some(environment) = python::environment("schemathesis") else {
        return;
    };
    // The demonstration's key has every role, so that no operation ends at the door.
    let house = House::demo();
    let admin = "e2e-admin";
    let serve = house.serve();
    // Something to be found.
    serve.caller(admin).ask(&Asked::new("pay"));
    serve
        .caller(admin)
        .submit(&Asked::harmless("look"))
        .expect(200);
    let examples = if flag("SERNIXA_TEST_LONG") {
        "200"
    } else {
        "15"
    };
    let output = python::program(&environment, "schemathesis", house.path())
        .current_dir(house.path())
        .args(["run", &format!("{}/api/openapi.json", serve.url())])
        .args(["--header", &format!("Authorization: Bearer {admin}")])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"])
        .args(["--exclude-path", "/api/approvals/events"])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", examples, "--seed", "1", "--request-timeout", "10"])
        // `ast.parse` fails now and then where two threads call it (python/cpython#106905, before
        // 3.11.8 and 3.12.2), and each worker is a thread whose generators call it. One worker also
        // sends the same requests in the same order each time.
        .args(["--workers", "1"])
        .args(["--generation-database", "none", "--no-color"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
}
