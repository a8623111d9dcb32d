//! The web API: `{"errno", "errmsg", "data"}` under 200, where `errno` is a string.

use http::StatusCode;
use serde_json::json;

use super::{Api, Reply};
use crate::domain::{Cap, Error};

/// The web API.
#[derive(Clone, Copy, Debug)]
pub struct Web;

impl Api for Web {
    const NAME: &'static str = "web";

    fn refuse(error: &Error) -> Reply {
        let (errno, errmsg) = match error {
            Error::Malformed(_) | Error::Invalid { .. } | Error::TooLarge { .. } | Error::UnsupportedMedia(_) => {
                ("4103", "参数错误")
            }
            Error::NotFound(_) | Error::CodeNotAsked | Error::CodeExpired => ("4002", "无数据"),
            Error::CodeWrong => ("4004", "数据错误"),
            Error::Unauthenticated | Error::RefreshInvalid | Error::RefreshReused => ("4101", "用户未登录"),
            Error::Limited { cap: Cap::CodesFromAddress, .. } => ("4202", "IP受限"),
            Error::NoRoute
            | Error::CodeGuessesSpent
            | Error::CodeTooSoon { .. }
            | Error::CountryNotServed
            | Error::Limited {
                cap: Cap::CodesToNumber | Cap::UnusedCodes | Cap::CodesToCountry | Cap::Lookups, ..
            } => ("4201", "非法请求或请求次数受限"),
            Error::TextNotSent => ("4301", "发送失败"),
            Error::Fault(_) => ("4500", "内部错误"),
        };
        let status = match error {
            Error::NoRoute => StatusCode::NOT_FOUND,
            Error::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::OK,
        };
        Reply::new(status, json!({ "errno": errno, "errmsg": errmsg }))
    }
}
