// SPDX-License-Identifier: GPL-2.0

//! Which module a file is of.

use kernel::{
    fs::File,
    module::this_module,
    ModuleMetadata, //
};

/// Whether what can be done with a file is in the code of the module `M`, so that the file keeps the
/// module loaded. That of a device is.
///
/// # Examples
///
/// ```
/// use kernel::{fs::File, ModuleMetadata};
/// use vmarea::file::is_of_module;
///
/// fn is_foreign<M: ModuleMetadata>(file: &File) -> bool {
///     !is_of_module::<M>(file)
/// }
/// ```
pub fn is_of_module<M: ModuleMetadata>(file: &File) -> bool {
    // SAFETY: The operations of an opened file do not change, and the file keeps them.
    let owner = unsafe { (*(*file.as_ptr()).f_op).owner };

    owner == this_module::<M>().as_ptr()
}
