//! Rooms: listing, making, changing and deleting them.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use domain::rooms::{Alias, Host, NewRoom, Page, Room, RoomChange, RoomId, Shown, Start};
use domain::{Error, Result as DomainResult};
use handset_http::api::ApiResult;
use handset_http::api::Rooms;
use handset_http::api::rooms::Refused;
use handset_http::body::{Changes, Params, Partial};
use handset_http::caller::Origin;
use handset_http::fields::{Flag, Text};
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::{cross_site, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::AppState;
use crate::routing::both;
use crate::wire::{Pk, Success, success};

pub(super) fn router() -> Routes<AppState> {
    let router = both(Routes::new(), routes!(get_rooms, post_rooms));
    both(router, routes!(get_room, put_room, delete_room))
}

/// Rooms on a page where none are asked for, as the document says, and the most.
const PAGE_SIZE: usize = 30;
const LARGEST_PAGE: usize = 100;

/// Which open rooms to list.
#[derive(Deserialize)]
struct Asked {
    #[serde(default, deserialize_with = "lenient::optional_text")]
    page: Option<String>,
    #[serde(default, rename = "pageSize", deserialize_with = "lenient::optional_text")]
    page_size: Option<String>,
    #[serde(default)]
    after: Option<String>,
}

impl Asked {
    /// The page's number, and what it is.
    fn page(&self) -> DomainResult<(usize, Page)> {
        let number = whole("page", self.page.as_deref(), 1)?;
        let size = whole("pageSize", self.page_size.as_deref(), PAGE_SIZE)?.min(LARGEST_PAGE);
        let after = self.after.as_deref().filter(|after| !after.is_empty());
        let start = match after {
            Some(after) => Start::After(after.parse()?),
            None => Start::Skip((number - 1).saturating_mul(size)),
        };
        Ok((number, Page { start, size }))
    }
}

/// A whole number from 1 on, or `unset` where there is none.
fn whole(field: &'static str, text: Option<&str>, unset: usize) -> DomainResult<usize> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(unset) };
    let rule = "must be a whole number, 1 or more";
    text.parse().ok().filter(|number| *number >= 1).ok_or(Error::Invalid { field, rule })
}

/// A page of the list of open rooms.
#[derive(Serialize, ToSchema)]
#[schema(as = rooms::OpenRooms)]
struct OpenRooms {
    /// The maximum number of rooms on a page.
    #[serde(rename = "pageSize")]
    page_size: String,
    #[serde(rename = "currentPage")]
    current_page: String,
    #[serde(rename = "totalPage")]
    total_page: String,
    /// The number of open rooms.
    total: String,
    /// Send it as `after` to get the next page; empty on the last page.
    next: String,
    results: Vec<RoomObject>,
}

/// A room.
#[derive(Serialize, ToSchema)]
#[schema(as = rooms::RoomObject)]
struct RoomObject {
    /// The room's id, which never changes.
    pk: String,
    /// The number to dial. Another room can get it after this room is deleted.
    roomid: String,
    room_alias: String,
    /// The owner's username, or their nickname if they have no username. Empty if the room has no owner.
    username: String,
    /// The absolute URL of the owner's avatar, or empty.
    image: String,
    /// Whether the room is open.
    active: bool,
}

impl RoomObject {
    fn new(state: &AppState, origin: &Origin, room: &Room, host: Option<&Host>) -> Self {
        let image = host.map(|host| host.avatar.as_str()).filter(|avatar| !avatar.is_empty());
        Self {
            pk: room.id.to_string(),
            roomid: room.number.clone(),
            room_alias: room.alias.as_str().to_owned(),
            username: host.map(|host| host.username.clone()).unwrap_or_default(),
            image: image.map(|avatar| state.url.absolute(origin, avatar)).unwrap_or_default(),
            active: room.active,
        }
    }

    fn of(state: &AppState, origin: &Origin, shown: &Shown) -> Self {
        Self::new(state, origin, &shown.room, shown.host.as_ref())
    }
}

/// A new room.
#[derive(Deserialize, ToSchema)]
#[schema(as = rooms::NewRoomFields)]
#[schema(example = json!({ "room_alias": "1262", "active": true }))]
struct NewRoomFields {
    /// 1 to 64 characters. Each alias is unique.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    room_alias: String,
    /// Whether the room is open; true if it is missing.
    #[serde(default, deserialize_with = "lenient::optional_flag")]
    #[schema(value_type = Option<Flag>)]
    active: Option<bool>,
    /// The token of the user who will own the room. Without a token the room has no owner.
    token: Option<String>,
}

/// Send only the fields to change.
#[derive(Deserialize, ToSchema)]
#[schema(as = rooms::RoomChangeFields)]
#[schema(example = json!({ "active": true }))]
struct RoomChangeFields {
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    room_alias: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_flag")]
    #[schema(value_type = Option<Flag>)]
    active: Option<bool>,
    token: Option<String>,
}

impl Partial for RoomChangeFields {
    const FIELDS: &'static [&'static str] = &["room_alias", "active"];
}

/// The credential of an endpoint without other fields.
#[derive(Deserialize)]
struct Credential {
    token: Option<String>,
}

/// List the open rooms, newest first.
///
/// `page` works for the first 3,000 rooms. To get more, or to list all rooms, send the `next` of each response as
/// `after`. A room without an owner moves to the front of the list when a PUT renews it.
#[utoipa::path(
    get, path = "/rooms/", tag = "rooms", operation_id = "rooms_get_rooms",
    params(
        ("page" = Option<Text>, Query, description = "Number of the page; 1 if it is missing", example = "1"),
        ("pageSize" = Option<Text>, Query, description = "Rooms on a page, at most 100; 30 if it is missing", example = "30"),
        ("after" = Option<String>, Query, description = "The `next` of an earlier response, instead of `page`",
            example = "1790000000000-4503599627370497"),
    ),
    responses(
        (status = 200, description = "A page of rooms", body = Success<OpenRooms>, example = json!({
            "status": "SUCCESS", "msg": "查询成功", "code": "200", "pageSize": "30", "currentPage": "1", "totalPage": "1",
            "total": "1", "next": "",
            "results": [{
                "pk": "4503599627370497", "roomid": "1263", "room_alias": "1262", "username": "12345",
                "image": "https://example.com/tests1.jpg", "active": true,
            }],
        })),
        (status = 400, description = "`page` is not a number, or beyond room 3,000 (use `after`)",
            body = Refused, example = json!({ "status": "FAIL", "msg": "page must be a whole number, 1 or more", "code": "400" })),
    ),
)]
async fn get_rooms(
    State(state): State<AppState>,
    origin: Origin,
    Params(asked, _): Params<Rooms, Asked>,
) -> ApiResult<Rooms> {
    let (number, page) = asked.page()?;
    let open = state.rooms.open(page).await?;
    let host = |room: &Room| open.hosts.get(&room.owner?);
    let results = open.listed.rooms.iter().map(|room| RoomObject::new(&state, &origin, room, host(room))).collect();
    let pages = open.total.div_ceil(u64::try_from(page.size).unwrap_or(1));
    let body = OpenRooms {
        page_size: page.size.to_string(),
        current_page: number.to_string(),
        total_page: pages.to_string(),
        total: open.total.to_string(),
        next: open.listed.next.map(|place| place.to_string()).unwrap_or_default(),
        results,
    };
    Ok(success(StatusCode::OK, "查询成功", body))
}

/// Create a room.
///
/// With a `token`, the room belongs to the current user. Without a token it has no owner, and it is deleted one day
/// after the last PUT. A deployment can require the token; the number of rooms without an owner from one IP address is
/// limited.
#[utoipa::path(
    post, path = "/rooms/", tag = "rooms", operation_id = "rooms_post_rooms", request_body = NewRoomFields,
    responses(
        (status = 201, description = "Created", body = Success<RoomObject>, example = json!({
            "status": "SUCCESS", "msg": "创建成功", "code": "201",
            "pk": "1263456789", "roomid": "1263", "room_alias": "1263", "username": "12345",
            "image": "https://example.com/tests1.jpg", "active": true,
        })),
        (status = 400, description = "The alias is missing or taken, or there are too many rooms",
            body = Refused, example = json!({ "status": "FAIL", "msg": "this room alias is taken", "code": "400" })),
        (status = 401, description = "The token has expired or ended, or is missing although required",
            body = Refused, example = json!({ "status": "FAIL", "msg": "token is missing; send the token of the sign-in", "code": "401" })),
    ),
)]
async fn post_rooms(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Rooms, NewRoomFields>,
) -> ApiResult<Rooms> {
    let caller = state.caller(given.token.as_deref())?;
    let wanted = NewRoom { alias: Alias::parse(&given.room_alias)?, active: given.active.unwrap_or(true) };
    let room = state.rooms.make(wanted, caller, origin.address).await?;
    Ok(success(StatusCode::CREATED, "创建成功", RoomObject::of(&state, &origin, &room)))
}

/// Get a room, open or closed.
#[utoipa::path(
    get, path = "/rooms/{pk}/", tag = "rooms", operation_id = "rooms_get_room",
    params(("pk" = String, Path, description = "The room", example = "4503599627370497")),
    responses(
        (status = 200, description = "The room", body = Success<RoomObject>, example = json!({
            "status": "SUCCESS", "msg": "查询成功", "code": "200",
            "pk": "4503599627370497", "roomid": "1263", "room_alias": "1262", "username": "12345",
            "image": "https://example.com/tests1.jpg", "active": true,
        })),
        (status = 404, description = "No such room",
            body = Refused, example = json!({ "status": "FAIL", "msg": "no such room", "code": "404" })),
    ),
)]
async fn get_room(State(state): State<AppState>, origin: Origin, Pk(pk): Pk) -> ApiResult<Rooms> {
    let room = state.rooms.room(pk.parse::<RoomId>()?).await?;
    Ok(success(StatusCode::OK, "查询成功", RoomObject::of(&state, &origin, &room)))
}

/// Open, close or rename a room.
///
/// A PUT also renews a room that has no owner. The room that belongs to an account (`roompk`) can be opened and closed
/// without a token from a network that the account knows.
#[utoipa::path(
    put, path = "/rooms/{pk}/", tag = "rooms", operation_id = "rooms_put_room",
    request_body(content = Option<RoomChangeFields>, content_type = "application/json"),
    params(("pk" = String, Path, description = "The room", example = "4503599627370497")),
    responses(
        (status = 200, description = "Changed", body = Success<RoomObject>, example = json!({
            "status": "SUCCESS", "msg": "修改成功", "code": "200",
            "pk": "1263456789", "roomid": "1263", "room_alias": "1263", "username": "12345",
            "image": "https://example.com/tests1.jpg", "active": true,
        })),
        (status = 400, description = "A field breaks its rule, or the alias is taken",
            body = Refused, example = json!({ "status": "FAIL", "msg": "this room alias is taken", "code": "400" })),
        (status = 401, description = "The token has expired or ended, or is missing although the room has an owner",
            body = Refused, example = json!({ "status": "FAIL", "msg": "token is missing; send the token of the sign-in", "code": "401" })),
        (status = 403, description = "The room belongs to another user", body = Refused, example = json!({ "status": "FAIL", "msg": "this belongs to another user", "code": "403" })),
        (status = 404, description = "No such room", body = Refused, example = json!({ "status": "FAIL", "msg": "no such room", "code": "404" })),
    ),
)]
async fn put_room(
    State(state): State<AppState>,
    origin: Origin,
    headers: HeaderMap,
    Pk(pk): Pk,
    changes: Changes<Rooms, RoomChangeFields>,
) -> ApiResult<Rooms> {
    let caller = state.caller(changes.given.token.as_deref())?;
    // Without any field it renews a room that has no owner.
    changes.demand_unless_empty()?;
    let given = changes.given;
    let alias = given.room_alias.as_deref().map(Alias::parse).transpose()?;
    let change = RoomChange { alias, active: given.active };
    let from = origin.address.filter(|_| !cross_site::is_from_a_page(&headers));
    let room = state.rooms.change(pk.parse()?, &change, caller, from).await?;
    Ok(success(StatusCode::OK, "修改成功", RoomObject::of(&state, &origin, &room)))
}

/// Delete a room.
#[utoipa::path(
    delete, path = "/rooms/{pk}/", tag = "rooms", operation_id = "rooms_delete_room",
    params(
        ("pk" = String, Path, description = "The room", example = "4503599627370497"),
        ("token" = Option<String>, Query, description = "The token of the owner, if there is one; it can also be in the body",
            example = "AAEAAAAAAAEDBQcJCwACBAYICgABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fIA"),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "The token has expired or ended, or is missing although the room has an owner",
            body = Refused, example = json!({ "status": "FAIL", "msg": "token is missing; send the token of the sign-in", "code": "401" })),
        (status = 403, description = "The room belongs to another user", body = Refused, example = json!({ "status": "FAIL", "msg": "this belongs to another user", "code": "403" })),
        (status = 404, description = "No such room", body = Refused, example = json!({ "status": "FAIL", "msg": "no such room", "code": "404" })),
    ),
)]
async fn delete_room(
    State(state): State<AppState>,
    Pk(pk): Pk,
    Params(given, _): Params<Rooms, Credential>,
) -> ApiResult<Rooms> {
    let caller = state.caller(given.token.as_deref())?;
    state.rooms.delete(pk.parse()?, caller).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
