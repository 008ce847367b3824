//! Unsafe functions stay unsafe. Not part of the integration tests, where `unsafe` is forbidden:
//! `tests/ui` compiles this in edition 2024, `tests/edition2021` in edition 2021.

use sernixa::{Error, intercept};

use super::prove::{began, proves, proves_async};

static BYTE: u8 = 7;

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
unsafe fn by_pointer(pointer: *const u8) -> Result<u8, Error> {
    began();
    // SAFETY: the caller promised that it points to a byte.
    Ok(unsafe { *pointer })
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async unsafe fn by_pointer_later(address: usize) -> Result<u8, Error> {
    began();
    let byte = std::ptr::with_exposed_provenance::<u8>(address);
    // SAFETY: the caller promised that it points to a byte.
    Ok(unsafe { *byte })
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[unsafe(no_mangle)]
#[allow(
    improper_ctypes_definitions,
    reason = "called from Rust; the convention is what is tested"
)]
extern "C" fn sernixa_exported(n: u8) -> Result<u8, Error> {
    began();
    Ok(n)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[allow(
    unsafe_op_in_unsafe_fn,
    reason = "the body of an unsafe function may be one"
)]
unsafe fn without_a_block(pointer: *const u8) -> Result<u8, Error> {
    began();
    Ok(*pointer)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[allow(
    unsafe_op_in_unsafe_fn,
    reason = "the body of an unsafe function may be one"
)]
async unsafe fn without_a_block_later(address: usize) -> Result<u8, Error> {
    began();
    Ok(*std::ptr::with_exposed_provenance::<u8>(address))
}

#[test]
fn an_unsafe_function_stays_unsafe() {
    // SAFETY: it points to a static.
    assert_eq!(proves(|| unsafe { by_pointer(&raw const BYTE) }), 7);
    // SAFETY: it points to a static.
    assert_eq!(proves(|| unsafe { without_a_block(&raw const BYTE) }), 7);
    let pointer: unsafe fn(*const u8) -> Result<u8, Error> = by_pointer;
    let _ = pointer;
    assert_eq!(proves(|| sernixa_exported(3)), 3);
}

#[tokio::test]
async fn an_unsafe_async_function_stays_unsafe() {
    let address = (&raw const BYTE).expose_provenance();
    // SAFETY: it points to a static.
    let call = async || unsafe { by_pointer_later(address) }.await;
    assert_eq!(proves_async(call).await, 7);
    // SAFETY: it points to a static.
    let call = async || unsafe { without_a_block_later(address) }.await;
    assert_eq!(proves_async(call).await, 7);
}
