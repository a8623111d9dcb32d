//! Tables of whole policies and calls.

use serde_json::{Value, json};

use super::{Access, Policy, Problem};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Main";
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:alarms";

fn policy(statements: &Value) -> Policy {
    let statements = statements.as_array().expect("a list of statements");
    Policy::parse(statements).expect("statements that are understood")
}

#[test]
fn statements_allow_as_in_iam() {
    let of_table = json!([
        {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE},
        {"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:Update*"], "Resource": [TABLE]},
        {"Effect": "Allow", "Action": "dynamodb:UpdateTable", "Resource": "*"},
    ]);
    let of_texts = json!([
        {"Sid": "Texts", "Effect": "Allow", "Action": "sns:Publish", "NotResource": "arn:aws:sns:*:*:*"},
    ]);
    let of_topics = json!([{"Effect": "Allow", "Action": "sns:Publish", "Resource": "arn:aws:sns:*:*:*"}]);
    let cases = [
        (&of_table, "dynamodb:GetItem", TABLE, vec![0]),
        (&of_table, "dynamodb:UpdateItem", TABLE, vec![1]),
        (&of_table, "dynamodb:UpdateTable", TABLE, vec![1, 2]),
        (&of_table, "dynamodb:DeleteItem", TABLE, vec![]),
        (&of_table, "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:000000000000:table/Other", vec![]),
        (&of_texts, "sns:Publish", "*", vec![0]),
        (&of_texts, "sns:Publish", TOPIC, vec![]),
        (&of_topics, "sns:Publish", "*", vec![]),
        (&of_topics, "sns:Publish", TOPIC, vec![0]),
    ];
    for (statements, action, resource, expected) in cases {
        let allowing: Vec<usize> = policy(statements).allowing(&Access::new(action, resource)).collect();
        assert_eq!(allowing, expected, "{action} on {resource} by {statements}");
    }
}

#[test]
fn statements_that_are_not_understood_are_refused() {
    let cases = [
        (json!("Allow"), Problem::NotAnObject("the statement")),
        (json!({"Action": "s3:*", "Resource": "*"}), Problem::Effect),
        (json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}), Problem::Effect),
        (json!({"Effect": "Allow", "Resource": "*"}), Problem::Missing("Action")),
        (json!({"Effect": "Allow", "Action": "s3:*"}), Problem::Missing("Resource")),
        (
            json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}),
            Problem::Element("Principal".into()),
        ),
        (
            json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "NotResource": "*"}),
            Problem::Element("NotResource beside Resource".into()),
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
