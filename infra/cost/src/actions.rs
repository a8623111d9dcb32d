//! What people do, and what each doing takes of the table and of a function. Tests hold the rounds and units to
//! `docs/access-patterns.md`, whose rounds are measured.

/// Units of the table: some whatever is in it, some for each KB of an account, and some for each friend and group.
#[derive(Clone, Copy, Debug, Default)]
pub struct Units {
    /// Whatever is in the table.
    pub fixed: f64,
    /// For each KB, begun, of an account's item.
    pub account_kb: f64,
    /// For each friend of a person.
    pub friend: f64,
    /// For each group of a person.
    pub group: f64,
}

impl Units {
    const fn fixed(fixed: f64) -> Self {
        Self { fixed, account_kb: 0.0, friend: 0.0, group: 0.0 }
    }

    const fn with_account(fixed: f64, account_kb: f64) -> Self {
        Self { fixed, account_kb, friend: 0.0, group: 0.0 }
    }

    /// How many, with an account of so many KB and so many friends and groups.
    #[must_use]
    pub fn of(&self, account_kb: f64, friends: f64, groups: f64) -> f64 {
        self.fixed + self.account_kb * account_kb + self.friend * friends + self.group * groups
    }
}

/// The same on a stack that leaves identity to Cognito, checks tokens at the gateway and does one thing to the table at a
/// time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stepwise {
    /// Calls to the table, one after the other. None: Cognito does it, and no function is called.
    pub steps: f64,
    /// Write units, none of them doubled by a transaction.
    pub writes: Units,
    /// Read units.
    pub reads: Units,
}

/// Something a person does.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Its name, also as an argument.
    pub name: &'static str,
    /// How often a person who is there that day does it in that day.
    pub per_day: f64,
    /// How its row in `docs/access-patterns.md` begins.
    pub row: &'static str,
    /// The rounds that the row gives it.
    pub rounds: f64,
    /// The row of that document's costs, where it has one.
    pub cost_row: Option<&'static str>,
    /// The function it calls.
    pub function: &'static str,
    /// Write units.
    pub writes: Units,
    /// Read units.
    pub reads: Units,
    /// Milliseconds of a whole processor, at most: docs/cost.md says how they were measured.
    pub cpu_ms: f64,
    /// The same done elsewhere.
    pub stepwise: Stepwise,
}

const BY_COGNITO: Stepwise = Stepwise { steps: 0.0, writes: Units::fixed(0.0), reads: Units::fixed(0.0) };

const fn stepwise(steps: f64, writes: Units, reads: Units) -> Stepwise {
    Stepwise { steps, writes, reads }
}

/// A sync reads the account, both lists, every relation (30 in a unit), every friend's face and every group.
const SYNC: Units = Units { fixed: 3.0, account_kb: 0.0, friend: 1.0 / 30.0 + 0.5, group: 1.0 };

/// What people do, in the order of the table.
pub const ACTIONS: [Action; 11] = [
    Action {
        name: "sign-up",
        per_day: 0.002,
        row: "sign in by code, new number",
        rounds: 2.0,
        cost_row: None,
        function: "auth",
        // The guess, the address's failures, and in one transaction the code, the conversion, the failures taken back, an
        // account and a claim of a KB each.
        writes: Units::fixed(1.0 + 2.0 + 10.0),
        reads: Units::fixed(1.0),
        cpu_ms: 16.0,
        // A trigger of Cognito's writes the profile.
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
        // The relations, their people, the memberships and their groups.
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
        // One group that changed, one member of it.
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

    /// The cells of the row that begins so, below a heading.
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

    /// The least and most that a cell such as `1 + 6 to 8, and …` allows with 30 friends and 5 groups.
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
            // Who comes to a group or goes adds two, which the document says in words.
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
