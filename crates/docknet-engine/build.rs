//! Names what is asked for often: whether there is a kernel to make networks on.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(kernel)");
    let on_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    if on_linux && std::env::var_os("CARGO_FEATURE_KERNEL").is_some() {
        println!("cargo::rustc-cfg=kernel");
    }
}
