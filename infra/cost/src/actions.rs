//! The actions of users, and what each costs in table units and function time. Tests compare the rounds and units with
//! `docs/access-patterns.md`, whose rounds are measured.

/// Units of the table: a fixed number, and some for each KB of an account, each friend and each group.
#[derive(Clone, Copy, Debug, Default)]
pub struct Units {
    /// Independent of the data.
    pub fixed: f64,
    /// For each started KB of an account's item.
    pub account_kb: f64,
    /// For each friend of the user.
    pub friend: f64,
    /// For each group of the user.
    pub group: f64,
}

impl Units {
    const fn fixed(fixed: f64) -> Self {
        Self { fixed, account_kb: 0.0, friend: 0.0, group: 0.0 }
    }

    const fn with_account(fixed: f64, account_kb: f64) -> Self {
        Self { fixed, account_kb, friend: 0.0, group: 0.0 }
    }

    /// The total for an account of `account_kb` KB with this many friends and groups.
    #[must_use]
    pub fn of(&self, account_kb: f64, friends: f64, groups: f64) -> f64 {
        self.fixed + self.account_kb * account_kb + self.friend * friends + self.group * groups
    }
}

/// The same action on a comparison stack, which uses Cognito for accounts, checks tokens at the gateway and makes one
/// table call after another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stepwise {
    /// Calls to the table, one after the other. `None` if Cognito does the work and no function is called.
    pub steps: f64,
    /// Write units; none is doubled by a transaction.
    pub writes: Units,
    /// Read units.
    pub reads: Units,
}

/// Something that a user does.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// The action's name, also used as an argument.
    pub name: &'static str,
    /// How often an active user does it in a day.
    pub per_day: f64,
    /// The beginning of its row in `docs/access-patterns.md`.
    pub row: &'static str,
    /// The rounds in that row.
    pub rounds: f64,
    /// The row in that document's table of costs, if there is one.
    pub cost_row: Option<&'static str>,
    /// The function it calls.
    pub function: &'static str,
    /// Write units.
    pub writes: Units,
    /// Read units.
    pub reads: Units,
    /// Milliseconds of a whole processor, at most; docs/cost.md describes the measurement.
    pub cpu_ms: f64,
    /// The same action on the comparison stack.
    pub stepwise: Stepwise,
}

const BY_COGNITO: Stepwise = Stepwise { steps: 0.0, writes: Units::fixed(0.0), reads: Units::fixed(0.0) };

const fn stepwise(steps: f64, writes: Units, reads: Units) -> Stepwise {
    Stepwise { steps, writes, reads }
}

/// A sync reads the account, both lists, every relation (30 in a unit), every friend's public profile and every group.
const SYNC: Units = Units { fixed: 3.0, account_kb: 0.0, friend: 1.0 / 30.0 + 0.5, group: 1.0 };

/// The actions of users, in the order of the table.
pub const ACTIONS: [Action; 11] = [
    Action {
        name: "sign-up",
        per_day: 0.002,
        row: "sign in by code, new number",
        rounds: 2.0,
        cost_row: None,
        function: "auth",
        // The count of the code attempt, the failures of the IP address, and one transaction: the code, the conversion,
        // the failures taken back, an account and a claim of one KB each.
        writes: Units::fixed(1.0 + 2.0 + 10.0),
        reads: Units::fixed(1.0),
        cpu_ms: 16.0,
        // A Cognito trigger writes the profile.
        stepwise: stepwise(1.0, Units::fixed(1.0), Units::fixed(0.0)),
    },
    Action {
        name: "code",
        per_day: 0.035,
        row: "send a code",
        rounds: 1.0,
        cost_row: Some("send a code"),
        function: "codes",
        writes: Units::fixed(10.0),
        reads: Units::fixed(0.0),
        cpu_ms: 10.0,
        stepwise: BY_COGNITO,
    },
    Action {
        name: "sign-in",
        per_day: 0.033,
        row: "sign in by code, known number",
        rounds: 2.0,
        cost_row: Some("sign in by code"),
        function: "auth",
        writes: Units::with_account(1.0 + 2.0 + 6.0, 2.0),
        reads: Units::fixed(2.0),
        cpu_ms: 16.0,
        stepwise: BY_COGNITO,
    },
    Action {
        name: "refresh",
        per_day: 4.0,
        row: "refresh",
        rounds: 1.0,
        cost_row: Some("refresh"),
        function: "auth",
        writes: Units::with_account(0.0, 1.0),
        reads: Units::fixed(0.0),
        cpu_ms: 8.0,
        stepwise: BY_COGNITO,
    },
    Action {
        name: "sync",
        per_day: 8.0,
        row: "SealTalk: sync, nothing new",
        rounds: 2.0,
        cost_row: Some("sync, nothing new, with f friends and g groups"),
        function: "social",
        writes: Units::fixed(0.0),
        reads: SYNC,
        cpu_ms: 10.0,
        // The relations, their users, the memberships and their groups.
        stepwise: stepwise(4.0, Units::fixed(0.0), Units { fixed: 2.0, ..SYNC }),
    },
    Action {
        name: "sync-changed",
        per_day: 2.0,
        row: "… groups changed",
        rounds: 4.0,
        cost_row: Some("… changed"),
        function: "social",
        writes: Units { fixed: 0.0, account_kb: 0.0, friend: 1.0 / 60.0, group: 1.0 / 60.0 },
        // A changed group and a changed member.
        reads: Units { fixed: SYNC.fixed + 3.0, ..SYNC },
        cpu_ms: 20.0,
        stepwise: stepwise(5.0, Units::fixed(1.0), Units { fixed: 5.0, ..SYNC }),
    },
    Action {
        name: "profile-change",
        per_day: 0.05,
        row: "nickname, state, profile",
        rounds: 1.0,
        cost_row: Some("a new nickname"),
        function: "profiles",
        writes: Units::with_account(0.0, 1.0),
        reads: Units::fixed(0.0),
        cpu_ms: 10.0,
        stepwise: stepwise(1.0, Units::with_account(0.0, 1.0), Units::fixed(0.0)),
    },
    Action {
        name: "address-book",
        per_day: 0.03,
        row: "address book, up to 100 numbers",
        rounds: 2.0,
        cost_row: Some("address book of 100, all registered"),
        function: "profiles",
        writes: Units::with_account(2.0, 2.0),
        reads: Units::fixed(100.0),
        cpu_ms: 45.0,
        stepwise: stepwise(2.0, Units::fixed(0.0), Units::fixed(100.0)),
    },
    Action {
        name: "upload",
        per_day: 0.5,
        row: "upload a picture or voice note",
        rounds: 1.0,
        cost_row: Some("upload"),
        function: "media",
        writes: Units::with_account(2.0, 2.0),
        reads: Units::fixed(0.0),
        cpu_ms: 30.0,
        stepwise: stepwise(2.0, Units::with_account(1.0, 1.0), Units::fixed(0.0)),
    },
    Action {
        name: "friend-change",
        per_day: 0.1,
        row: "SealTalk: invite, agree",
        rounds: 2.0,
        cost_row: Some("make friends, either side"),
        function: "social",
        writes: Units::with_account(4.0, 2.0),
        reads: Units::fixed(4.0),
        cpu_ms: 15.0,
        stepwise: stepwise(4.0, Units::fixed(2.0), Units::fixed(2.0)),
    },
    Action {
        name: "group-change",
        per_day: 0.05,
        row: "SealTalk: change a group",
        rounds: 2.0,
        cost_row: Some("a change of a group of 20"),
        function: "social",
        writes: Units::with_account(4.0 + 2.0, 2.0),
        reads: Units::fixed(3.0),
        cpu_ms: 15.0,
        stepwise: stepwise(4.0, Units::fixed(2.0), Units::fixed(2.0)),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERNS: &str = include_str!("../../../docs/access-patterns.md");

    /// The cells of the row with this beginning, below a heading.
    fn row(heading: &str, start: &str) -> Vec<&'static str> {
        let (_, part) = PATTERNS.split_once(heading).unwrap_or_else(|| panic!("no {heading}"));
        let part = part.split("\n## ").next().unwrap_or_default();
        let rows = part.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        let mut rows = rows.filter(|cells| cells.len() > 3 && cells[1] == start);
        rows.next().unwrap_or_else(|| panic!("no row {start}"))
    }

    #[test]
    fn rounds_are_the_measured_ones() {
        for action in ACTIONS {
            let documented: f64 = row("## Questions", action.row)[3].parse().expect("a number");
            assert!((documented - action.rounds).abs() < 1e-9, "{}", action.name);
        }
    }

    /// The minimum and maximum of a cell such as `1 + 6 to 8, and …`, with 30 friends and 5 groups.
    fn bounds(cell: &str) -> (f64, f64) {
        let cell = cell.split(',').next().unwrap_or_default().replace("(f + g)/60", "0.583333333");
        let term = |text: &str| -> f64 {
            let text = text.trim().replace("f/30", "1").replace("f/2", "15").replace('g', "5");
            if text.is_empty() { 0.0 } else { text.parse().unwrap_or_else(|_| panic!("{text} in {cell}")) }
        };
        cell.split(" + ").fold((0.0, 0.0), |(least, most), part| match part.split_once(" to ") {
            Some((low, high)) => (least + term(low), most + term(high)),
            None => (least + term(part), most + term(part)),
        })
    }

    #[test]
    fn units_are_the_documented_ones_for_an_account_of_one_to_two_kilobytes() {
        for action in ACTIONS {
            let Some(start) = action.cost_row else { continue };
            let cells = row("## What it costs", start);
            let near = |ours: f64, documented: f64| (ours - documented).abs() < 0.01;
            let (least, most) = bounds(cells[2]);
            // Joining or leaving a group adds two, which the document says in words.
            let extra = if action.name == "group-change" { 2.0 } else { 0.0 };
            let writes = |kb| action.writes.of(kb, 30.0, 5.0) - extra;
            assert!(near(writes(1.0), least) && near(writes(2.0), most), "{} writes {}", action.name, cells[2]);
            if cells[3].starts_with("as much") || action.name == "profile-change" {
                continue;
            }
            let (least, most) = bounds(cells[3]);
            let reads = action.reads.of(1.0, 30.0, 5.0);
            assert!(reads >= least - 0.01 && reads <= most + 0.01, "{} reads {}: {reads}", action.name, cells[3]);
        }
    }
}
