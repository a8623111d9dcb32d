//! Permissions: the registered principals, and a record of what their statements allowed and denied.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::Value;

use crate::Error;
use crate::iam::{Access, Policy};
use crate::place::ACCOUNT;

/// The number of denials that are kept; older ones are dropped.
const DENIALS_KEPT: usize = 1_000;

/// A caller with its own credentials: a function, or an administrator. It does not implement `Debug`, so its secret
/// cannot be logged.
#[derive(Clone)]
pub struct Principal {
    /// The function's name in messages and records.
    pub name: String,
    /// The access key id that the caller signs with.
    pub access_key_id: String,
    /// The secret of this access key.
    pub secret_access_key: String,
    /// The statements of the role in IAM's JSON format, with intrinsic functions resolved. `None` is an administrator
    /// with all permissions.
    pub statements: Option<Vec<Value>>,
}

/// A statement that allowed at least one call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedStatement {
    /// The principal's name.
    pub principal: String,
    /// The statement's place in the principal's list, counted from 0.
    pub index: usize,
}

/// A denied call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The principal's name.
    pub principal: String,
    /// The denied action, for example `s3:PutObject`.
    pub action: String,
    /// The ARN of its resource, or `*`.
    pub resource: String,
}

impl Denial {
    /// The statement that would allow the call, in YAML for a template.
    #[must_use]
    pub fn missing_statement(&self) -> String {
        format!("- Effect: Allow\n  Action: {}\n  Resource: \"{}\"", self.action, self.resource)
    }

    /// The error message in AWS's words.
    #[must_use]
    pub fn message(&self) -> String {
        let Self { principal, action, resource } = self;
        format!(
            "User: arn:aws:sts::{ACCOUNT}:assumed-role/{principal}/{principal} is not authorized to perform: {action} \
             on resource: {resource} because no identity-based policy allows the {action} action"
        )
    }
}

/// A principal that was recognised by its access key.
pub struct Signer {
    name: String,
    secret: String,
    policy: Option<Policy>,
}

impl Signer {
    /// The secret access key, to check signatures.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether a condition of the caller's role uses partition keys.
    pub fn reads_leading_keys(&self) -> bool {
        self.policy.as_ref().is_some_and(Policy::reads_leading_keys)
    }
}

/// The registered principals and the decisions about their calls.
#[derive(Default)]
pub struct Authority {
    callers: RwLock<HashMap<String, Arc<Signer>>>,
    used: Mutex<BTreeSet<UsedStatement>>,
    needed: Mutex<BTreeSet<UsedStatement>>,
    denied: Mutex<VecDeque<Denial>>,
}

impl Authority {
    /// Registers a principal's access key.
    pub fn register(&self, principal: Principal) -> Result<(), Error> {
        let Principal { name, access_key_id, secret_access_key, statements } = principal;
        let policy = statements
            .map(|statements| Policy::parse(&statements))
            .transpose()
            .map_err(|source| Error::Policy { principal: name.clone(), source })?;
        let mut callers = self.callers.write().unwrap_or_else(PoisonError::into_inner);
        if callers.contains_key(&access_key_id) {
            return Err(Error::AccessKeyTaken(access_key_id));
        }
        let caller = Signer { name, secret: secret_access_key, policy };
        callers.insert(access_key_id, Arc::new(caller));
        Ok(())
    }

    /// The principal with this access key.
    pub fn caller(&self, access_key_id: &str) -> Option<Arc<Signer>> {
        let callers = self.callers.read().unwrap_or_else(PoisonError::into_inner);
        callers.get(access_key_id).cloned()
    }

    /// Decides about one access and records the decision. If the access is denied, it also logs the missing statement.
    pub fn authorize(&self, caller: &Signer, access: &Access) -> Result<(), Denial> {
        let decision = self.decide(caller, access);
        if let Err(denial) = &decision {
            warn_of(denial);
            let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
            if denied.len() == DENIALS_KEPT {
                denied.pop_front();
            }
            denied.push_back(denial.clone());
        }
        decision
    }

    /// Whether an access is allowed that only affects the response, such as the listing permission that turns S3's 403
    /// for a missing object into a 404. A denial is not logged in this case.
    pub fn allows(&self, caller: &Signer, access: &Access) -> bool {
        self.decide(caller, access).is_ok()
    }

    fn decide(&self, caller: &Signer, access: &Access) -> Result<(), Denial> {
        let Some(policy) = &caller.policy else {
            return Ok(());
        };
        let mut allowing = policy.allowing(access);
        let Some(index) = allowing.next() else {
            let (action, resource) = (access.action.clone(), access.resource.clone());
            return Err(Denial { principal: caller.name.clone(), action, resource });
        };
        let used = UsedStatement { principal: caller.name.clone(), index };
        if allowing.next().is_none() {
            self.needed.lock().unwrap_or_else(PoisonError::into_inner).insert(used.clone());
        }
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(used);
        Ok(())
    }

    /// The statements that allowed a call so far, in order.
    pub fn used(&self) -> Vec<UsedStatement> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.iter().cloned().collect()
    }

    /// The statements that at least one call so far needed, because no other statement allows it.
    pub fn needed(&self) -> Vec<UsedStatement> {
        let needed = self.needed.lock().unwrap_or_else(PoisonError::into_inner);
        needed.iter().cloned().collect()
    }

    /// The newest denied calls, oldest first.
    pub fn denied(&self) -> Vec<Denial> {
        let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        denied.iter().cloned().collect()
    }
}

fn warn_of(denial: &Denial) {
    let Denial { principal, action, resource } = denial;
    let statement = denial.missing_statement();
    tracing::warn!(principal, action, resource, "denied; the role lacks this statement:\n{statement}");
}
