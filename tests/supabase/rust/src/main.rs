//! One sign-in and one refresh by `supabase-auth`, a Rust library for Supabase Auth which Supabase does not maintain.
//!
//!     supabase-rust http://localhost:3000 http://localhost:4000
//!
//! The first address is the server's, the second one that of `proxy.mjs`, which holds the answers to the schemas.

use std::error::Error;

use serde_json::Value;
use supabase_auth::models::{AuthClient, OtpType, VerifyMobileOtpParams, VerifyOtpParams};

/// The code in the newest text to a number.
async fn code_for(server: &str, phone: &str) -> Result<String, Box<dyn Error>> {
    let texts = format!("{server}/_local/sms?phone={}", phone.replace('+', "%2B"));
    let texts: Value = reqwest::get(texts).await?.json().await?;
    Ok(texts[0]["code"].as_str().ok_or("no text arrived")?.to_owned())
}

fn entered(phone: &str, code: &str) -> VerifyOtpParams {
    let (phone, token) = (phone.to_owned(), code.to_owned());
    VerifyOtpParams::Mobile(VerifyMobileOtpParams { phone, token, otp_type: OtpType::Sms, options: None })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<_> = std::env::args().skip(1).collect();
    let [server, proxy] = given.as_slice() else {
        return Err("needs the addresses of the server and the proxy".into());
    };
    let phone = "+8613990000001";
    // The last one verifies tokens of a kind that Handset does not have. The library only keeps it.
    let client = AuthClient::new(proxy, "sb_publishable_handset", "none");

    client.send_sms_with_otp(phone).await?;
    let code = code_for(server, phone).await?;
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let refused = client.verify_otp(entered(phone, wrong)).await.expect_err("a wrong code is refused");
    assert!(refused.to_string().contains("Token has expired or is invalid"), "{refused}");
    let session = client.verify_otp(entered(phone, &code)).await?;
    assert_eq!(session.user.phone, phone.trim_start_matches('+'));
    assert_eq!(session.user.identities[0].provider, "phone");

    let next = client.refresh_session(&session.refresh_token).await?;
    assert_ne!(next.refresh_token, session.refresh_token);
    let user = client.get_user(&next.access_token).await?;
    assert_eq!((user.id, &user.identities), (session.user.id, &next.user.identities));
    let refused = client.refresh_session("garbage").await.expect_err("garbage is refused");
    assert!(refused.to_string().contains("Refresh Token Not Found"), "{refused}");
    println!("ok     rust: a sign-in and a refresh");
    Ok(())
}
