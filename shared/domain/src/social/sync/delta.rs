//! Builds a sync response: adds rows until the response is full, and keeps track of the rows that the device will have
//! afterwards.

use std::collections::{BTreeSet, HashMap};

use super::snapshot::{mark_of_blocked, mark_of_friend, mark_of_oneself};
use super::{BlockedRow, FriendRow, GroupRow, Known, MemberRow, Row, SyncResponse, SyncSnapshot};
use crate::account::UserId;
use crate::social::group::{Group, GroupId, Roster, Stage};
use crate::social::{Memberships, PublicProfile, PublicProfiles, Relation, Status};

/// Approximate size of a row in the response without its texts, in bytes.
const ROW: usize = 165;
/// Approximate size of a member's nickname and picture, in bytes. These are looked up last.
const FACE: usize = 40;

/// A response that is being built.
pub(super) struct Delta {
    /// The rows that the device has, including those of this response.
    snapshot: SyncSnapshot,
    /// Whether the device may have rows of which no record is left.
    uncertain: bool,
    /// Approximate limit of the response's size, in bytes.
    page: usize,
    /// Approximate size of the response so far, in bytes.
    bytes: usize,
    answer: SyncResponse,
}

impl Delta {
    pub fn new(oneself: &PublicProfile, known: Known, page: usize) -> Self {
        let mut snapshot = match known {
            Known::Rows(snapshot) => snapshot,
            Known::Nothing => SyncSnapshot::new(),
            Known::Anything => SyncSnapshot::from([(Row::Uncertain, 0)]),
        };
        let uncertain = snapshot.remove(&Row::Uncertain).is_some();
        let answer = SyncResponse {
            version: 0,
            more: false,
            oneself: oneself.clone(),
            oneself_changed: false,
            blacklist: Vec::new(),
            friends: Vec::new(),
            groups: Vec::new(),
            members: Vec::new(),
        };
        let mut delta = Self { snapshot, uncertain, page, bytes: 0, answer };
        delta.answer.oneself_changed = delta.mark(Row::Oneself, mark_of_oneself(oneself));
        delta
    }

    /// Whether the response is full. The next sync finds the rest, because it still differs.
    pub fn is_full(&self) -> bool {
        self.answer.more
    }

    /// Whether the response is empty because the device is up to date.
    pub fn tells_nothing(&self) -> bool {
        let answer = &self.answer;
        !answer.oneself_changed
            && answer.blacklist.is_empty()
            && answer.friends.is_empty()
            && answer.groups.is_empty()
            && answer.members.is_empty()
    }

    /// The rows that the device will have.
    pub fn snapshot(&mut self) -> SyncSnapshot {
        if self.uncertain && self.answer.more {
            self.snapshot.insert(Row::Uncertain, 0);
        }
        self.snapshot.clone()
    }

    /// The users whose public profiles are still to be looked up.
    pub fn members(&self) -> BTreeSet<UserId> {
        self.answer.members.iter().filter(|row| !row.member.gone).map(|row| row.user).collect()
    }

    pub fn put_faces(&mut self, profiles: &PublicProfiles) {
        for row in &mut self.answer.members {
            row.profile = profiles.get(&row.user).cloned().unwrap_or_default();
            row.profile.phone = None;
        }
    }

    pub fn into_answer(self, version: u64) -> SyncResponse {
        SyncResponse { version, ..self.answer }
    }

    /// Adds the rows of all users that changed.
    pub fn tell_people(&mut self, relations: &[Relation], profiles: &PublicProfiles) {
        for relation in relations {
            let user = relation.other;
            let profile = profiles.get(&user).cloned().unwrap_or_default();
            if relation.is_blocked() {
                if self.would_tell(Row::Blocked(user), mark_of_blocked(&profile), &[&profile.name, &profile.avatar]) {
                    self.answer.blacklist.push(BlockedRow { user, blocked: true, profile: anonymous(&profile) });
                }
            } else if self.forget(Row::Blocked(user), self.uncertain && relation.blocked.is_some()) {
                self.answer.blacklist.push(BlockedRow { user, blocked: false, profile: anonymous(&profile) });
            }
            let mark = mark_of_friend(relation, &profile);
            let texts = [relation.remark.as_str(), &relation.message, &profile.name, &profile.avatar];
            if relation.status.is_some() && self.would_tell(Row::Friend(user), mark, &texts) {
                let profile = if relation.is_friend() { profile } else { anonymous(&profile) };
                self.answer.friends.push(FriendRow { relation: relation.clone(), profile });
            }
        }
    }

    /// Adds rows for friends and blocked users to whom no relation is stored any more.
    pub fn tell_gone_people(&mut self, relations: &[Relation]) {
        let held: BTreeSet<_> = relations.iter().map(|relation| relation.other).collect();
        let gone: Vec<_> =
            self.snapshot.keys().copied().filter(|row| row.user().is_some_and(|user| !held.contains(&user))).collect();
        for row in gone {
            match row {
                Row::Blocked(user) if self.forget(row, false) => {
                    self.answer.blacklist.push(BlockedRow { user, blocked: false, profile: PublicProfile::default() });
                }
                Row::Friend(user) if self.forget(row, false) => {
                    let relation = Relation { status: Some(Status::Deleted), ..Relation::stranger(user) };
                    self.answer.friends.push(FriendRow { relation, profile: PublicProfile::default() });
                }
                Row::Blocked(_) | Row::Friend(_) | Row::Oneself | Row::Group(_) | Row::Uncertain => {}
            }
        }
    }

    /// Adds rows for groups that the user is no longer in. Returns the groups whose rosters are needed to add more.
    pub fn tell_gone_groups(
        &mut self,
        memberships: &Memberships,
        groups: &HashMap<GroupId, Group>,
    ) -> BTreeSet<GroupId> {
        let here: BTreeSet<_> = memberships
            .live
            .iter()
            .copied()
            .filter(|id| groups.get(id).is_some_and(|group| group.stage == Stage::Alive))
            .collect();
        let known = self.snapshot.keys().filter_map(|row| if let Row::Group(id) = row { Some(*id) } else { None });
        let mut gone: BTreeSet<_> = known.filter(|id| !here.contains(id)).collect();
        if self.uncertain {
            gone.extend(memberships.left.union(&memberships.live).filter(|id| !here.contains(id)));
        }
        for id in gone {
            if self.forget(Row::Group(id), self.uncertain) {
                self.answer.groups.push(GroupRow::Gone(id));
            }
        }
        here.into_iter().filter(|id| self.seq(*id) != Some(groups[id].seq)).collect()
    }

    /// Adds the groups that changed, each as a whole.
    pub fn tell_groups(
        &mut self,
        oneself: UserId,
        ids: &BTreeSet<GroupId>,
        groups: &HashMap<GroupId, Group>,
        rosters: &HashMap<GroupId, Roster>,
    ) {
        for id in ids {
            let (Some(group), Some(roster)) = (groups.get(id), rosters.get(id)) else { continue };
            self.tell_group(oneself, group, roster);
        }
    }

    fn tell_group(&mut self, oneself: UserId, group: &Group, roster: &Roster) {
        let id = group.id;
        let Some(own) = roster.member(oneself) else {
            // The user was removed after the list of groups was read, or has not been added completely yet.
            if self.forget(Row::Group(id), self.uncertain) {
                self.answer.groups.push(GroupRow::Gone(id));
            }
            return;
        };
        // The group and its roster were read one after the other. A change that the older of the two does not contain
        // yet is sent next time.
        let seq = group.seq.min(roster.seq);
        let before = self.seq(id);
        if before.is_some_and(|before| before >= seq) {
            return;
        }
        // A device that had the group before may still have members who have left since, so it gets their rows. A
        // device that did not have the group gets no rows of former members, unless it may have had the group after
        // all.
        let forgets = before.is_some() || self.uncertain;
        let changed = roster
            .people
            .iter()
            .filter(|(_, member)| member.version > before.unwrap_or_default() && (forgets || !member.gone));
        let rows: Vec<_> = changed
            .map(|(user, member)| MemberRow {
                group: id,
                user: *user,
                member: member.clone(),
                profile: PublicProfile::default(),
            })
            .collect();
        let bytes: usize = rows.iter().map(|row| ROW + FACE + row.member.name.len()).sum();
        if !self.has_room(ROW + group.name.len() + group.portrait.len() + own.name.len() + bytes) {
            return;
        }
        self.snapshot.insert(Row::Group(id), seq);
        self.answer.groups.push(GroupRow::Here {
            group: Box::new(group.clone()),
            role: own.role,
            name: own.name.clone(),
        });
        self.answer.members.extend(rows);
    }

    fn seq(&self, id: GroupId) -> Option<u64> {
        self.snapshot.get(&Row::Group(id)).copied()
    }

    /// Whether a row differs from the one that the device has, and fits into the response.
    fn would_tell(&mut self, row: Row, mark: u64, texts: &[&str]) -> bool {
        let bytes = ROW + texts.iter().map(|text| text.len()).sum::<usize>();
        self.snapshot.get(&row) != Some(&mark) && self.has_room(bytes) && self.mark(row, mark)
    }

    /// Whether to tell the device to remove a row: it has the row and the removal fits into the response, or it might
    /// have the row. In that second case the size is not checked, so that the responses come to an end.
    fn forget(&mut self, row: Row, might_be: bool) -> bool {
        let forgets = might_be || (self.snapshot.contains_key(&row) && self.has_room(ROW));
        if forgets {
            self.snapshot.remove(&row);
        }
        forgets
    }

    /// Records that the device will have this row. Returns whether the row is new or changed.
    fn mark(&mut self, row: Row, mark: u64) -> bool {
        self.snapshot.insert(row, mark) != Some(mark)
    }

    /// Whether so many more bytes fit into the response. The first row always fits.
    fn has_room(&mut self, bytes: usize) -> bool {
        self.answer.more |= self.bytes > 0 && self.bytes + bytes > self.page;
        if !self.answer.more {
            self.bytes += bytes;
        }
        !self.answer.more
    }
}

/// A public profile without its phone number.
fn anonymous(profile: &PublicProfile) -> PublicProfile {
    PublicProfile { phone: None, ..profile.clone() }
}
