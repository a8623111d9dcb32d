//! The schemas of fields that several endpoints accept, for the API descriptions.
//!
//! The APIs' documentation and clients write some values sometimes as strings, sometimes as numbers (`lenient`). Each
//! type here stands for one such field: `#[schema(value_type = Code)]`.

use std::borrow::Cow;

use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// Declares the type that stands for a field.
macro_rules! field {
    ($(#[$about:meta])* $name:ident = $schema:expr) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::from($schema))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

field! {
    /// A country calling code.
    Zone = scalar(16, "Country calling code, with or without `+`; 86 (mainland China) if it is empty or missing.")
}
field! {
    /// A phone number whose calling code is in a field of its own.
    Number = scalar(64, "Phone number, as it is dialled inside its country, or with `+` and the country calling code.")
}
field! {
    /// A phone number without a calling code beside it.
    Mobile = scalar(64, "Phone number: of mainland China, or with `+` and the country calling code.")
}
field! {
    /// A number from an address book, which may be any text.
    Contact = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Integer]))
        .description(Some("Phone number from the address book. A number that is not valid has no account."))
        .build()
}
field! {
    /// A code from a text message.
    Code = scalar(32, "The code from the text message.")
}
field! {
    /// The hash of an Android app that requests a code.
    AppHashText = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(11))
        .description(Some(
            "The hash of your Android app: 11 letters, digits, `+` and `/`. The app can then read the code with Google's \
             SMS Retriever, if the deployment's `SmsAppHashes` allows the app.",
        ))
        .build()
}
field! {
    /// A password. The rules apply to new passwords; a password from another API may be longer.
    PasswordText = scalar(1_024, "Password. A new one has 6 to 64 bytes and no spaces.")
}
field! {
    /// A string that clients may also write as a number.
    Text = scalar(1_024, "A string, or a whole number.")
}
field! {
    /// A boolean.
    Flag = OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Boolean))
        .item(ObjectBuilder::new().schema_type(Type::String).pattern(Some("^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$")))
        .description(Some("`true` or `false`, as a boolean or a string."))
        .build()
}
field! {
    /// A list of strings.
    List = OneOfBuilder::new()
        .item(ArrayBuilder::new().items(scalar(256, "A string, or a whole number.")))
        .item(scalar(16_384, "The same list in one string: separated by commas, or a JSON array."))
        .build()
}
field! {
    /// The bytes of a file.
    Binary = ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::Custom("binary".into()))).build()
}

/// A string of at most so many characters, or a whole number.
fn scalar(most: usize, about: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Integer]))
        .max_length(Some(most))
        .description(Some(about))
        .build()
}
