//! The details of an error: the limit, the rule or the quota that a request met, and why it counts as not signed in.

use std::fmt;

/// Why a request counts as not signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSignedIn {
    /// No credential was sent.
    Missing,
    /// The value sent is not a credential that we issued for this API.
    Invalid,
    /// The credential or its session has expired.
    Expired,
    /// The session was ended: by signing out, by a new password, or by newer sign-ins.
    Ended,
}

impl NotSignedIn {
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Missing => "credential_missing",
            Self::Invalid => "credential_malformed",
            Self::Expired => "credential_expired",
            Self::Ended => "session_ended",
        }
    }
}

impl fmt::Display for NotSignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "no credential was sent",
            Self::Invalid => "the credential is not valid",
            Self::Expired => "the credential has expired",
            Self::Ended => "the session has ended",
        })
    }
}

/// A rule of groups that a request violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupRule {
    /// A user who is not a member tried something that only members may see or do.
    MembersOnly,
    /// A plain member tried something that only the owner and the managers may do.
    ManagersOnly,
    /// A member who is not the owner tried something that only the owner may do.
    OwnerOnly,
    /// Only the owner may appoint and dismiss managers.
    OwnerAppoints,
    /// A named user is not a member.
    NotInGroup,
    /// The owner cannot be removed or get another role, and cannot transfer the group to themselves.
    OwnerStays,
    /// The group has no room for so many members.
    Full,
    /// A user is in the maximum number of groups.
    TooManyGroups,
    /// There is no bulletin on the group's board.
    NoBulletin,
}

impl fmt::Display for GroupRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MembersOnly => "you are not a member of this group",
            Self::ManagersOnly => "only the owner and managers of the group may do this",
            Self::OwnerOnly => "only the owner of the group may do this",
            Self::OwnerAppoints => "only the owner of the group may appoint and remove managers",
            Self::NotInGroup => "a user in the request is not in the group",
            Self::OwnerStays => "the owner cannot be removed or given another role; use POST /group/transfer",
            Self::Full => "a group can have at most 500 members",
            Self::TooManyGroups => "a user can be in at most 500 groups",
            Self::NoBulletin => "the group has no bulletin",
        })
    }
}

/// The action that a limit applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// Codes to one number in an hour or in a day.
    CodesToNumber,
    /// Codes to a block of numbers in which too few codes are used.
    UnusedCodes,
    /// Codes requested from one IP address.
    CodesFromAddress,
    /// Codes to one country.
    CodesToCountry,
    /// Numbers looked up by one account in a day.
    Lookups,
    /// Failed sign-ins to one account or from one IP address.
    SignInFailures,
    /// Rooms created without an owner from one IP address.
    AnonymousRooms,
    /// Simultaneous requests that write the same item.
    AtOnce,
    /// Accounts created from one IP address that cost no text message.
    AccountsFromAddress,
    /// Requests from one IP address whose responses show whether a number or a name has an account.
    ChecksFromAddress,
    /// Anonymous accounts created from one IP address.
    AnonymousAccounts,
    /// Groups made by one account in a day.
    GroupsMade,
    /// Friend requests by one account in a day.
    Invitations,
    /// Reports by one account in a day.
    Reports,
}

impl Cap {
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::CodesToNumber => "codes_to_number",
            Self::UnusedCodes => "unused_codes",
            Self::CodesFromAddress => "codes_from_address",
            Self::CodesToCountry => "codes_to_country",
            Self::Lookups => "lookups",
            Self::SignInFailures => "sign_in_failures",
            Self::AnonymousRooms => "anonymous_rooms",
            Self::AtOnce => "requests_at_once",
            Self::AccountsFromAddress => "accounts_from_address",
            Self::ChecksFromAddress => "checks_from_address",
            Self::AnonymousAccounts => "anonymous_accounts",
            Self::GroupsMade => "groups_made",
            Self::Invitations => "invitations",
            Self::Reports => "reports",
        }
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CodesToNumber => "codes to this number",
            Self::UnusedCodes => "unused codes to numbers like this one",
            Self::CodesFromAddress => "codes from this address",
            Self::CodesToCountry => "codes to this country",
            Self::Lookups => "numbers looked up today",
            Self::SignInFailures => "failed sign-ins",
            Self::AnonymousRooms => "rooms from this address",
            Self::AtOnce => "requests at once for the same thing",
            Self::AccountsFromAddress => "new accounts from this address",
            Self::ChecksFromAddress => "numbers and names checked from this address today",
            Self::AnonymousAccounts => "anonymous accounts from this address",
            Self::GroupsMade => "groups made today",
            Self::Invitations => "friend requests today",
            Self::Reports => "reports today",
        })
    }
}

/// Something of which an account may have only a limited number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Rooms that the account owns.
    Rooms,
    /// The bytes of the pictures and voice notes that it uploaded.
    Media,
    /// People on its blacklist.
    Blacklist,
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rooms => "too many rooms; delete one first",
            Self::Blacklist => "the blacklist is full; remove a person first",
            Self::Media => "the account has no space left for pictures and voice notes",
        })
    }
}
