# SPDX-License-Identifier: GPL-2.0
#
# How a module links the crate vmarea. Its Kbuild says where this directory is,
# below its own, and includes this:
#
#   vmarea := vmarea
#   include $(src)/$(vmarea)/vmarea.mk
#
#   obj-m := driver.o
#   driver-y := main.o $(vmarea-objects)
#   RUSTFLAGS_main.o := $(vmarea-rustflags)
#   $(obj)/main.o: $(vmarea-crate)
#
# What is built may be in another directory than the sources (MO=), so paths
# start at $(obj) or $(src).

vmarea-objects := $(addprefix $(vmarea)/,vmarea.o helpers.o trace.o)
vmarea-crate := $(obj)/$(vmarea)/vmarea.o
vmarea-rustflags := -L $(obj)/$(vmarea) --extern vmarea

RUSTFLAGS_$(vmarea)/vmarea.o := --emit=metadata=$(obj)/$(vmarea)/libvmarea.rmeta

# The kernel's headers read trace.h again, as ./trace.h.
CFLAGS_$(vmarea)/trace.o := -I$(src)/$(vmarea)

# Bindings for the names in helpers.c, which nothing else declares, and for the
# tracepoints in trace.h.
CFLAGS_$(vmarea)/helpers.o := -Wno-missing-prototypes
vmarea-bindings := $(obj)/$(vmarea)/bindings_generated.rs
export VMAREA_BINDINGS := $(abspath $(vmarea-bindings))
$(vmarea-crate): $(vmarea-bindings)

quiet_cmd_vmarea_bindgen = BINDGEN $@
      cmd_vmarea_bindgen = $(BINDGEN) $< -o $@ --rust-target 1.85 --use-core \
	--ctypes-prefix ffi --no-layout-tests --no-recursive-allowlist --no-prepend-enum-name \
	--allowlist-var 'VMAREA_.*' --allowlist-function 'vmarea_.*' \
	--allowlist-var '__tracepoint_vmarea_.*' --allowlist-type 'vmarea_.*' \
	--allowlist-function 'rust_do_trace_vmarea_.*' --allowlist-function init_pseudo -- \
	$(c_flags) -fno-builtin -D__BINDGEN__ -DMODULE -Wno-missing-prototypes \
	-include $(src)/$(vmarea)/trace.h

$(vmarea-bindings): $(src)/$(vmarea)/helpers.c FORCE
	$(call if_changed_dep,vmarea_bindgen)
targets += $(vmarea)/bindings_generated.rs
