//! The last change of a group that its members are notified of, as the attribute `told` of the group's item.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Item, get_number, get_text, get_user, number, text};
use domain::account::UserId;
use domain::social::group::{GroupEvent, Operation};

/// The attribute's name.
pub const LAST_EVENT: &str = "told";

/// The event as a map inside the group's item.
pub fn last_event_to_item(event: &GroupEvent) -> AttributeValue {
    let mut map = Item::from([
        ("seq".to_owned(), number(event.seq)),
        ("operation".to_owned(), text(event.operation.name())),
        ("operator".to_owned(), number(event.operator)),
    ]);
    if !event.targets.is_empty() {
        // A list and not a set, because a set would not keep the order.
        let targets = event.targets.iter().map(number).collect();
        map.insert("targets".to_owned(), AttributeValue::L(targets));
    }
    map.extend(event.heir.map(|heir| ("heir".to_owned(), number(heir))));
    AttributeValue::M(map)
}

/// The event in a group's item, if there is one and it can be parsed.
pub fn last_event_from_item(group: &Item) -> Option<GroupEvent> {
    let map = group.get(LAST_EVENT)?.as_m().ok()?;
    let targets = match map.get("targets") {
        Some(AttributeValue::L(targets)) => targets.iter().map(user).collect::<Option<_>>()?,
        Some(_) => return None,
        None => Vec::new(),
    };
    Some(GroupEvent {
        seq: get_number(map, "seq")?,
        operation: Operation::from_name(&get_text(map, "operation")?)?,
        operator: get_user(map, "operator")?,
        targets,
        heir: get_user(map, "heir"),
    })
}

fn user(value: &AttributeValue) -> Option<UserId> {
    value.as_n().ok()?.parse().ok().and_then(UserId::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> UserId {
        UserId::new(number).unwrap()
    }

    fn group(event: &GroupEvent) -> Item {
        Item::from([(LAST_EVENT.to_owned(), last_event_to_item(event))])
    }

    #[test]
    fn every_event_survives_the_table() {
        for operation in Operation::ALL {
            for (targets, heir) in [(Vec::new(), None), (vec![id(9), id(2), id(7)], Some(id(3)))] {
                let event = GroupEvent { seq: 4, operation, operator: id(1), targets, heir };
                assert_eq!(last_event_from_item(&group(&event)), Some(event));
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_event() {
        let (operation, operator, targets) = (Operation::Add, id(1), vec![id(2)]);
        let event = GroupEvent { seq: 4, operation, operator, targets, heir: None };
        let whole = group(&event);
        assert_eq!(last_event_from_item(&Item::new()), None);
        assert_eq!(last_event_from_item(&Item::from([(LAST_EVENT.to_owned(), text("Add"))])), None);
        for (attribute, value) in [
            ("seq", text("4")),
            ("seq", number(-1)),
            ("operation", text("Dance")),
            ("operator", number(0)),
            ("targets", number(2)),
            ("targets", AttributeValue::L(vec![text("2")])),
            ("targets", AttributeValue::L(vec![number(1_u64 << 53)])),
        ] {
            let mut map = whole[LAST_EVENT].as_m().unwrap().clone();
            map.insert(attribute.to_owned(), value);
            let broken = Item::from([(LAST_EVENT.to_owned(), AttributeValue::M(map))]);
            assert_eq!(last_event_from_item(&broken), None, "{attribute}");
        }
    }
}
