//! Which Rust names the message generator gives to the things of a `.proto` file. Only what our style of `.proto` needs:
//! no nested messages, fields in snake case.

use prost_reflect::{EnumDescriptor, FieldDescriptor, MessageDescriptor, OneofDescriptor};

/// `karibu.types.v1.Money` -> `crate::karibu::types::v1::Money`.
pub(crate) fn message_path(message: &MessageDescriptor) -> String {
    format!("crate::{}", message.full_name().replace('.', "::"))
}

/// `karibu.types.v1.Channel` -> `crate::karibu::types::v1::Channel`.
pub(crate) fn enum_path(kind: &EnumDescriptor) -> String {
    format!("crate::{}", kind.full_name().replace('.', "::"))
}

/// Field of the generated struct; words of the language are written raw.
pub(crate) fn field_ident(name: &str) -> String {
    match name {
        "type" | "ref" | "match" | "move" | "use" | "enum" | "struct" | "impl" | "where" | "yield" | "final" => {
            format!("r#{name}")
        }
        _ => name.to_owned(),
    }
}

/// Enum that holds the variants of a `oneof`: it lives in a module named after its message.
pub(crate) fn oneof_path(oneof: &OneofDescriptor) -> String {
    let message = oneof.parent_message();
    format!(
        "crate::{}::{}::{}",
        message.parent_file().package_name().replace('.', "::"),
        snake_case(message.name()),
        camel_case(oneof.name())
    )
}

/// Variant of a `oneof`.
pub(crate) fn variant_ident(field: &FieldDescriptor) -> String {
    camel_case(field.name())
}

/// `follow_up_due` -> `FollowUpDue`.
pub(crate) fn camel_case(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
        })
        .collect()
}

/// `PurchaseInput` -> `purchase_input`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (index, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
