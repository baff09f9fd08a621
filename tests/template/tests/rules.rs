//! The real template keeps every rule.

use template_truth::{bus, dashboard, operations, permissions, project, queues, streams, timing};

#[test]
fn queues_lose_nothing() {
    assert_eq!(queues::check(&project::template().unwrap()), [""; 0]);
}

#[test]
fn streams_skip_nothing() {
    assert_eq!(streams::check(&project::template().unwrap()), [""; 0]);
}

#[test]
fn permissions_are_exact() {
    assert_eq!(permissions::check(&project::template().unwrap()), [""; 0]);
}

#[test]
fn only_what_must_reads_a_secret() {
    let expected = [
        "create-admin reads LookupSecret",
        "create-order reads EdgeSecret",
        "create-session reads EdgeSecret",
        "create-session reads LookupSecret",
        "create-session reads TokenSecret",
        "list-users reads LookupSecret",
        "refresh-session reads TokenSecret",
        "register-user reads EdgeSecret",
        "register-user reads LookupSecret",
        "request-password-reset reads EdgeSecret",
        "request-password-reset reads LookupSecret",
        "update-user reads LookupSecret",
    ];
    assert_eq!(permissions::readers_of_secrets(&project::template().unwrap()), expected);
}

#[test]
fn only_this_stack_s_own_roles_reach_the_bus() {
    assert_eq!(bus::check(&project::template().unwrap()), [""; 0]);
}

#[test]
fn an_operator_sees_what_goes_wrong() {
    assert_eq!(operations::check(&project::template().unwrap()), [""; 0]);
}

#[test]
fn schedules_and_redelivery_go_with_what_counts_as_late() {
    assert_eq!(timing::check(&project::template().unwrap()), [""; 0]);
}

#[test]
fn a_time_to_live_is_one_that_the_code_writes() {
    let times = operations::times_to_live(&project::template().unwrap());
    let tables: Vec<_> = times.iter().map(|(table, _)| table.as_str()).collect();
    assert_eq!(
        tables,
        [
            "DeadLettersTable",
            "ImportsTable",
            "InvalidationsTable",
            "JournalTable",
            "OrderBudgetsTable",
            "RedrivesTable",
            "SessionsTable"
        ]
    );
    for (table, attribute) in &times {
        // In an expression, as a field, or as a name; the services' tests see the items go.
        let written = [format!("SET {attribute} = "), format!("\"{attribute}\""), format!(" {attribute}: ")];
        let store = match table.as_str() {
            "DeadLettersTable" | "RedrivesTable" => "functions/redrives/src",
            "ImportsTable" => "functions/products/src/imports",
            "InvalidationsTable" => "functions/cache/src",
            "JournalTable" => "functions/monitor/src",
            "OrderBudgetsTable" => "functions/orders/src/store",
            _ => "functions/users/src/sessions",
        };
        let code = project::sources(store).unwrap();
        assert!(
            written.iter().any(|written| code.contains(written)),
            "nothing writes {attribute} into {table}"
        );
    }
}

#[test]
fn the_dashboard_shows_everything_and_nothing_that_is_not_there() {
    assert_eq!(dashboard::check(&project::template().unwrap()), [""; 0]);
}

#[test]
fn what_the_metric_filters_look_for_is_what_the_code_logs() {
    let code = project::code("functions").unwrap() + &project::code("shared").unwrap();
    let (texts, fields) = dashboard::looked_for(&project::template().unwrap());
    assert!(texts.contains("events are in the journal") && fields.contains("lag_ms"), "{texts:?} {fields:?}");
    for text in texts {
        assert!(code.contains(&format!("\"{text}\"")), "nothing logs \"{text}\"");
    }
    for field in fields {
        assert!(code.contains(&format!("info!({field} = ")), "nothing logs a {field}");
    }
}
