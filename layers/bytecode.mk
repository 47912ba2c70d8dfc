# Bytecode for the layer and the functions. /opt and /var/task are read-only on Lambda: without
# shipped bytecode, each cold start compiles every module that it imports.
#
# Only the interpreter that compiled the bytecode can use it: Python 3.13 on AWS, PYTHON on the
# embedded AWS. It is unchecked (PEP 552), because the sources do not change after the build.

PYTHON ?= python3
LAYER_PLATFORM ?= aws

# A python3.13 on the PATH can be a version manager's placeholder, so each candidate has to run.
compiler-aws := $(shell for python in $(PYTHON) python3.13; do \
	$$python -c 'import sys; sys.exit(sys.implementation.cache_tag != "cpython-313")' 2>/dev/null \
	&& echo $$python && break; done)
compiler-native = $(PYTHON)
compiler = $(compiler-$(LAYER_PLATFORM))

# $(call compile,FOLDER,ROOT,ROOT ON LAMBDA): compile the files of a folder below ROOT. Bytecode has
# the path of its source, which tracebacks show: the one on Lambda and not the build machine's.
compile = $(if $(compiler),$(compiler) -m compileall -q -f --invalidation-mode unchecked-hash \
	-s "$(2)" -p $(3) "$(1)",:)
