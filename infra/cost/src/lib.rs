//! Computes what a deployment costs in a month from the users' habits, the units and rounds of each request, the memory
//! that `template.yaml` gives each function, and a list of prices. `docs/cost.md` shows the result.

pub mod actions;
pub mod bill;
pub mod load;
pub mod places;
pub mod prices;
pub mod report;

use std::collections::BTreeMap;

use emulator::template::{Deployment, Template};

/// The memory of each function in MB, by the name of its binary, read from the template.
pub fn memory(template: &str) -> Result<BTreeMap<String, f64>, emulator::template::Error> {
    let template = Template::parse(template)?;
    let mut deployment = Deployment::default();
    for secret in template.secrets(&deployment)? {
        // The values are not used.
        deployment.secrets.insert(secret.arn, r#"{"secret":""}"#.to_owned());
    }
    let functions = template.resolve(&deployment)?.functions;
    Ok(functions.into_iter().map(|function| (function.binary, f64::from(function.memory_mb))).collect())
}
