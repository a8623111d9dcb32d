//! Tables of whole policies and calls.

use serde_json::{Value, json};

use super::Verdict::{AllowedBy, DeniedBy, NotMentioned};
use super::{Access, Policy, Problem};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Main";
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:alarms";

fn policy(statements: &Value) -> Policy {
    let statements = statements.as_array().expect("a list of statements");
    Policy::parse(statements).expect("statements that are understood")
}

#[test]
fn policies_decide_as_iam_does() {
    let of_table = json!([
        {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE},
        {"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:Update*"], "Resource": [TABLE]},
        {"Effect": "Deny", "Action": "dynamodb:UpdateTable", "Resource": "*"},
    ]);
    let of_texts = json!([
        {"Sid": "Texts", "Effect": "Allow", "Action": "sns:Publish", "NotResource": "arn:aws:sns:*:*:*"},
    ]);
    let of_topics = json!([{"Effect": "Allow", "Action": "sns:Publish", "Resource": "arn:aws:sns:*:*:*"}]);
    let all_but = json!([{"Effect": "Allow", "NotAction": ["dynamodb:Delete*", "s3:*"], "Resource": "*"}]);
    let cases = [
        (&of_table, "dynamodb:GetItem", TABLE, AllowedBy(0)),
        (&of_table, "dynamodb:UpdateItem", TABLE, AllowedBy(1)),
        (&of_table, "dynamodb:UpdateTable", TABLE, DeniedBy(2)),
        (&of_table, "dynamodb:DeleteItem", TABLE, NotMentioned),
        (&of_table, "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:000000000000:table/Other", NotMentioned),
        (&of_texts, "sns:Publish", "*", AllowedBy(0)),
        (&of_texts, "sns:Publish", TOPIC, NotMentioned),
        (&of_topics, "sns:Publish", "*", NotMentioned),
        (&of_topics, "sns:Publish", TOPIC, AllowedBy(0)),
        (&all_but, "dynamodb:PutItem", TABLE, AllowedBy(0)),
        (&all_but, "dynamodb:DeleteItem", TABLE, NotMentioned),
        (&all_but, "s3:GetObject", "arn:aws:s3:::b/k", NotMentioned),
    ];
    for (statements, action, resource, expected) in cases {
        let verdict = policy(statements).evaluate(&Access::new(action, resource));
        assert_eq!(verdict, expected, "{action} on {resource} by {statements}");
    }
}

#[test]
fn statements_that_are_not_understood_are_refused() {
    let cases = [
        (json!("Allow"), Problem::NotAnObject("the statement")),
        (json!({"Action": "s3:*", "Resource": "*"}), Problem::Effect),
        (json!({"Effect": "allow", "Action": "s3:*", "Resource": "*"}), Problem::Effect),
        (json!({"Effect": "Allow", "Resource": "*"}), Problem::Missing("Action")),
        (json!({"Effect": "Allow", "Action": "s3:*"}), Problem::Missing("Resource")),
        (
            json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}),
            Problem::Element("Principal".into()),
        ),
        (
            json!({"Effect": "Allow", "Action": "s3:*", "NotAction": "s3:*", "Resource": "*"}),
            Problem::Element("NotAction beside Action".into()),
        ),
        (json!({"Effect": "Allow", "Action": "GetItem", "Resource": "*"}), Problem::Action("GetItem".into())),
        (json!({"Effect": "Allow", "Action": "s3:*", "Resource": {"Fn::Sub": "x"}}), Problem::NotText("Resource")),
        (json!({"Effect": "Allow", "Action": [], "Resource": "*"}), Problem::NotText("Action")),
        (
            json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}"}),
            Problem::Variable("arn:aws:s3:::b/${aws:username}".into()),
        ),
    ];
    for (statement, expected) in cases {
        let error = Policy::parse(std::slice::from_ref(&statement)).expect_err("refused");
        assert_eq!(error.problem, expected, "{statement}");
    }
}
