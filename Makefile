# aadssh.  SPDX-License-Identifier: ISC
#
#   make              build everything into build/
#   make check        all tests (needs the test packages; as root it installs
#                     what is missing first)
#   make demo         a private sshd, a test provider, one login end to end
#   make bench lint asan fuzz interop deps
#   make boot-test    the units in an emulated Debian (root, network, qemu)
#   make install DESTDIR= PREFIX= PAMDIR=
#
# What is linked into what is a security fact, so every list is explicit.

PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC = gcc
endif
PKG_CONFIG ?= pkg-config
PAMDIR ?= /lib/$(shell $(CC) -print-multiarch)/security
CFLAGS ?= -O2 -g
HOOK_LIBS ?= static
WERROR ?=
B ?= build
VERSION = 0.1.0

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all check demo bench boot-test lint asan fuzz install deps \
	deps-build deps-demo deps-test need-build need-demo need-test clean unit e2e \
	unit-bins fuzz-run interop interop-bins

# ---- flags ----------------------------------------------------------------
# The builder's CPPFLAGS, CFLAGS and LDFLAGS come last and replace nothing of
# ours.  HARDEN and WARN can be replaced as a whole, by name.
WARN = -Wall -Wextra -Wshadow -Wcast-qual -Wwrite-strings -Wundef -Wvla \
	-Wmissing-prototypes -Wstrict-prototypes -Wconversion \
	-Wimplicit-fallthrough -Wformat=2 -Wpointer-arith
HARDEN = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-fstack-clash-protection -fPIE
ARCH := $(shell uname -m)
ifeq ($(ARCH),x86_64)
HARDEN += -fcf-protection=full
endif
SAN = -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
cflags = -std=c11 -D_GNU_SOURCE -DAADSSH_VERSION='"$(VERSION)"' \
	-Ilib -I. $(WARN) $(WERROR) $(HARDEN) \
	-MMD -MP $(CPPFLAGS) $(CFLAGS)
ldflags = -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed \
	$(LDFLAGS)

ifeq ($(V),1)
Q =
else
Q = @
endif
say = $(if $(Q),@echo "  $(1)	$(2)")

# ---- what we link ----------------------------------------------------------
libdir := $(shell $(PKG_CONFIG) --variable=libdir libsodium 2>/dev/null)
lib_core = -linih -lnettle -lsodium
lib_ssh = -lhogweed -lnettle -lgmp
lib_token = -ljansson -ljwt -lhogweed -lnettle -lgmp
lib_token_hook = -ljansson -lhogweed -lnettle -lgmp
hook_static = $(addprefix $(libdir)/,libinih.a libjansson.a libhogweed.a \
	libnettle.a libgmp.a libsodium.a)
hook_shared = -linih -ljansson -lhogweed -lnettle -lgmp -lsodium
# Static means libc too (-static-pie, so addresses are still random): at 1 ms a
# process, the dynamic linker is a quarter of the answer.
ifeq ($(HOOK_LIBS),static)
hook_libs = $(hook_static) -static-pie -Wl,--gc-sections
else
hook_libs = $(hook_shared) -pie
endif
aadssh_libs = -linih -ljansson -ljwt -lcurl -lhogweed -lnettle -lgmp -lsodium \
	-lqrencode
ca_libs = -linih -ljansson -lhogweed -lnettle -lgmp -lsodium
signer_libs = -linih -ljansson -lsqlite3 -lhogweed -lnettle -lgmp -lsodium

# ---- our objects, one list a folder ----------------------------------------
core = err reason file secret b64 strictjson name text value setting keyword \
	conf
# ssh_hook: what the hook needs, which reads and never signs.
ssh_hook = wire key curve cert
ssh = $(ssh_hook) certmake sign privkey serials krl krlpart krlwrite \
	sshsig agent
token = jws jwks verify_jwt verify_nettle claims token
token_hook = jws jwks verify_nettle claims token
policy = rules policy
idp = cloud reply discovery device grant aadsts
net = transfer http pool
host = hostid record cache refreshtoken offer waiting session trace denial pin \
	lastrun rekey decision principals
cli = verb out log priv clock child process stop
cli_hook = log priv clock sandbox
hook = main
# ca_pure: what judges, and touches nothing; the unit test has it.
ca_pure = reply install keyfile rows
ca = $(ca_pure) main app spawn dial door signlock keyagent \
	option trust certify tell signin import \
	publish change take progress layout find init sign signhost show list verify \
	keys revoke krl rotate publishing backup restore check
signer_profile = option profile profilecheck
signer_issue = signer issue usercert hostcert keyring backend request step \
	manifest published
signer = main intake ops sandbox
signer_ops = newkey init revoke revoked publication publish rotation rotate \
	bundle account audit archive backup stage restore check
pam = pam_aadssh account child clean header judged kernel login named \
	options registry relay report
aadssh = main app signin exchange ui qr admit lines pamheader keychoice pamui \
	pam pamauth pamsession tenantkeys login status survey show explain \
	refresh renew evict settle sweep hold deny forget rekey check reap \
	ending sessions token
ledger = ledger ledgercheck ledgercopy ledgerdb ledgerfile ledgerrow \
	ledgerschema ledgerstage ledgerview

objs = $(addprefix $(B)/$(1)/,$(addsuffix .o,$(2)))
core_o = $(call objs,lib/core,$(core))
ssh_hook_o = $(call objs,lib/ssh,$(ssh_hook))
ssh_o = $(call objs,lib/ssh,$(ssh))
token_o = $(call objs,lib/token,$(token))
token_hook_o = $(call objs,lib/token,$(token_hook))
policy_o = $(call objs,lib/policy,$(policy))
idp_o = $(call objs,lib/idp,$(idp))
net_o = $(call objs,lib/net,$(net))
host_o = $(call objs,lib/host,$(host))
cli_o = $(call objs,cmd/cli,$(cli))
cli_hook_o = $(call objs,cmd/cli,$(cli_hook))
hook_o = $(call objs,cmd/aadssh-authkeys,$(hook))
ca_o = $(call objs,ca,$(ca)) $(call objs,ca/signer,request)
signer_profile_o = $(call objs,ca/signer,$(signer_profile))
signer_issue_o = $(call objs,ca/signer,$(signer_issue))
signer_o = $(call objs,ca/signer,$(signer))
signer_ops_o = $(call objs,ca/signer,$(signer_ops))
pam_o = $(call objs,cmd/pam_aadssh,$(pam))
aadssh_o = $(call objs,cmd/aadssh,$(aadssh))
ledger_o = $(call objs,ca/signer,$(ledger))

programs = $(B)/aadssh-authkeys $(B)/aadssh $(B)/pam_aadssh.so $(B)/aadssh-ca \
	$(B)/aadssh-ca-import $(B)/aadssh-ca-signer

all: need-build $(programs)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(cflags) -c -o $@ $<

hook_all_o = $(hook_o) $(cli_hook_o) $(host_o) $(policy_o) $(token_hook_o) \
	$(ssh_hook_o) $(core_o)
$(B)/aadssh-authkeys: $(hook_all_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) $(ldflags) -o $@ $^ $(hook_libs)

$(B)/aadssh: $(aadssh_o) $(cli_o) $(host_o) $(policy_o) $(token_o) $(idp_o) \
		$(net_o) $(ssh_hook_o) $(core_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^ $(aadssh_libs)

# No curl, no libjwt, no libssh, no SQLite: it starts who has them.
$(B)/aadssh-ca: $(ca_o) $(cli_o) $(ssh_o) $(core_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^ $(ca_libs)

# The only one with libssh: a foreign key file, read once.
$(B)/aadssh-ca-import: $(call objs,ca/import,main) $(cli_o) $(ssh_o) $(core_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^ $(ca_libs) -lssh

# No curl, no libssh, no libjwt: what holds the keys speaks to nobody.
signer_all_o = $(signer_o) $(signer_ops_o) $(signer_issue_o) \
	$(signer_profile_o) $(ledger_o) $(cli_hook_o) $(policy_o) \
	$(token_hook_o) $(ssh_o) $(core_o)
$(B)/aadssh-ca-signer: $(signer_all_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^ $(signer_libs)

# A part of sshd, so it brings nothing along: libpam, libc, and not one object
# of lib/.  What sshd finds in it are the functions marked EXPORT.
$(pam_o): cflags += -fPIC -fvisibility=hidden
$(B)/pam_aadssh.so: $(pam_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -shared $(ldflags) -Wl,-z,defs -o $@ $^ -lpam

# ---- unit tests -------------------------------------------------------------
# $(call unit,NAME,OBJECTS,LIBRARIES): test/unit/test_NAME.c, cmocka, the
# mutation walk, the fault injector (which wraps what can fail), and the log.
unit_o = $(call objs,test/unit,mutate fault scratch lastlog)
wraps = malloc calloc realloc strdup strndup openat read write fsync fchmod \
	fstat renameat2 unlinkat mkdirat flock ftruncate pread pwrite syslog \
	__syslog_chk
wrap_flags = $(addprefix -Wl$(comma)--wrap=,$(wraps))
comma = ,

units =
define unit
units += $(1)
$(B)/test/unit/test_$(1): $(B)/test/unit/test_$(1).o $$(unit_o) $(2)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(cflags) -pie $$(ldflags) $$(wrap_flags) -o $$@ $$^ -lcmocka \
		$(3) -ljansson -lnettle -lsodium
endef

lib_all = -linih -ljansson -ljwt -lcurl -lhogweed -lnettle -lgmp -lsodium
$(eval $(call unit,core,$(core_o),-lnettle -linih))
$(eval $(call unit,conf,$(core_o),-lnettle -linih))
$(eval $(call unit,key,$(ssh_o) $(core_o),$(lib_ssh) -linih))
$(eval $(call unit,cert,$(call objs,test/tools,respec) $(ssh_o) $(core_o),$(lib_ssh) -linih))
$(eval $(call unit,wire,$(call objs,lib/ssh,wire),))
$(eval $(call unit,sign,$(ssh_o) $(core_o),$(lib_ssh) -linih))
$(eval $(call unit,privkey,$(ssh_o) $(core_o),$(lib_ssh) -linih))
$(eval $(call unit,krl,$(ssh_o) $(core_o),$(lib_ssh) -linih))
$(eval $(call unit,sshsig,$(ssh_o) $(core_o),$(lib_ssh) -linih))
$(eval $(call unit,agent,$(ssh_o) $(core_o),$(lib_ssh) -linih))
$(eval $(call unit,token,$(call objs,test/tools,forge) $(token_o) $(core_o),\
	$(lib_token) -linih))
$(eval $(call unit,verify,$(call objs,test/tools,forge) $(token_o) $(core_o),\
	$(lib_token) -linih))
$(eval $(call unit,policy,$(policy_o) $(token_o) $(core_o),$(lib_token) -linih))
$(eval $(call unit,profile,$(signer_profile_o) $(policy_o) $(token_o) $(ssh_o) \
	$(core_o),$(lib_token) -linih))
$(eval $(call unit,idp,$(idp_o) $(token_o) $(core_o),$(lib_token) -linih))
$(eval $(call unit,device,$(idp_o) $(core_o),-linih))
$(eval $(call unit,http,$(net_o) $(core_o),-lcurl -lnettle -linih))
$(eval $(call unit,host,$(call objs,test/tools,forge) $(host_o) $(policy_o) \
	$(token_o) $(ssh_o) $(core_o),$(lib_all)))
$(eval $(call unit,principals,$(host_o) $(policy_o) $(token_o) $(ssh_o) \
	$(core_o),$(lib_all)))
$(eval $(call unit,pamchild,$(call objs,cmd/aadssh,pamheader lines keychoice pamui qr) \
	$(ssh_o) $(core_o),$(lib_ssh) -lqrencode -linih))
$(eval $(call unit,admit,$(call objs,test/tools,forge) $(call objs,cmd/aadssh,\
	admit hold app signin exchange tenantkeys) $(cli_o) $(host_o) $(policy_o) \
	$(token_o) $(idp_o) $(net_o) $(ssh_o) $(core_o),$(lib_all)))
$(eval $(call unit,state,$(call objs,test/tools,forge) $(host_o) \
	$(policy_o) $(token_o) $(ssh_o) $(core_o),$(lib_all)))
$(eval $(call unit,pam,$(pam_o) $(host_o) $(policy_o) $(token_o) $(ssh_o) \
	$(core_o),$(lib_all) -lpam))
$(eval $(call unit,request,$(call objs,ca/signer,request) $(ssh_o) $(core_o),\
	$(lib_ssh) -linih))
$(eval $(call unit,intake,$(call objs,ca/signer,intake request) $(ssh_o) \
	$(core_o),$(lib_ssh) -linih))
$(eval $(call unit,rotation,$(call objs,ca/signer,rotation) $(core_o),-linih))
$(eval $(call unit,authority,$(call objs,test/tools,forge) $(signer_issue_o) \
	$(signer_ops_o) $(call objs,ca/signer,intake) $(signer_profile_o) \
	$(ledger_o) $(call objs,cmd/cli,log clock) $(policy_o) $(token_hook_o) $(ssh_o) $(core_o),$(signer_libs)))
$(eval $(call unit,issue,$(call objs,test/tools,forge) $(signer_issue_o) \
	$(signer_profile_o) $(ledger_o) $(call objs,cmd/cli,log) $(policy_o) \
	$(token_hook_o) $(ssh_o) $(core_o),$(signer_libs)))
$(eval $(call unit,ca,$(filter-out %/main.o,$(ca_o)) \
	$(cli_o) $(ssh_o) $(core_o),$(lib_ssh) -linih))
$(eval $(call unit,cli,$(cli_o) $(call objs,cmd/cli,sandbox) $(core_o),-lnettle -linih))
$(eval $(call unit,ledger,$(call objs,test/unit,ledgerworld) $(ledger_o) \
	$(core_o),-lsqlite3 -linih))
$(eval $(call unit,ledgercopy,$(call objs,test/unit,ledgerworld) $(ledger_o) \
	$(core_o),-lsqlite3 -linih))
$(eval $(call unit,ledgerfile,$(call objs,test/unit,ledgerworld) $(ledger_o) \
	$(core_o),-lsqlite3 -linih))

unit_bins = $(addprefix $(B)/test/unit/test_,$(units))
unit-bins: $(unit_bins)

unit: need-test $(unit_bins)
	$(Q)test/unit/run.sh $(unit_bins)

# ---- fuzzers ------------------------------------------------------------------
# $(call fuzz,NAME,OBJECTS,LIBRARIES): test/fuzz/fuzz_NAME.c, libFuzzer; its
# seeds are named in test/fuzz/seeds.  Built by `make fuzz` only, apart from
# everything else, with clang.
FUZZ_CC ?= clang-14
FUZZ_SECONDS ?= 60
fuzzers =
define fuzz
fuzzers += $(1)
$(B)/test/fuzz/fuzz_$(1): $(B)/test/fuzz/fuzz_$(1).o $(2)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(cflags) -pie $$(ldflags) -fsanitize=fuzzer -o $$@ $$^ $(3)
endef

$(eval $(call fuzz,conf,$(signer_profile_o) $(policy_o) \
	$(call objs,lib/token,claims) $(ssh_o) $(core_o),$(lib_ssh) -linih \
	-ljansson -lsodium))
$(eval $(call fuzz,key,$(ssh_o) $(core_o),$(lib_ssh) -lsodium -ljansson -linih))
$(eval $(call fuzz,cert,$(call objs,test/tools,respec) $(ssh_o) $(core_o),\
	$(lib_ssh) -lsodium -ljansson -linih))
$(eval $(call fuzz,privkey,$(ssh_o) $(core_o),$(lib_ssh) -lsodium -ljansson \
	-linih))
$(eval $(call fuzz,krl,$(ssh_o) $(core_o),$(lib_ssh) -lsodium -ljansson -linih))
$(eval $(call fuzz,sshsig,$(ssh_o) $(core_o),$(lib_ssh) -lsodium -ljansson -linih))
$(eval $(call fuzz,agent,$(ssh_o) $(core_o),$(lib_ssh) -lsodium -ljansson -linih))
$(eval $(call fuzz,token,$(token_o) $(core_o),$(lib_token) -lsodium -linih))
$(eval $(call fuzz,claims,$(token_o) $(core_o),$(lib_token) -lsodium -linih))
$(eval $(call fuzz,jwks,$(token_o) $(core_o),$(lib_token) -lsodium -linih))
$(eval $(call fuzz,reply,$(idp_o) $(core_o),-ljansson -lnettle -lsodium -linih))
$(eval $(call fuzz,offer,$(call objs,lib/host,offer) $(ssh_o) $(core_o),\
	$(lib_ssh) -lsodium -ljansson -linih))
$(eval $(call fuzz,session,$(call objs,lib/host,session) $(ssh_o) $(core_o),\
	$(lib_ssh) -lsodium -ljansson -linih))
$(eval $(call fuzz,request,$(call objs,ca/signer,request) $(ssh_o) $(core_o),\
	$(lib_ssh) -lsodium -ljansson -linih))
$(eval $(call fuzz,archive,$(call objs,ca/signer,archive) $(ssh_o) $(core_o),\
	$(lib_ssh) -lsodium -ljansson -linih))
$(eval $(call fuzz,manifest,$(call objs,ca/signer,manifest keyring backend) \
	$(ledger_o) $(ssh_o) $(core_o),$(lib_ssh) -lsqlite3 -lsodium -ljansson \
	-linih))

fuzz_bins = $(addprefix $(B)/test/fuzz/fuzz_,$(fuzzers))
fuzz-run: $(fuzz_bins)
	$(Q)FUZZ_SECONDS="$(FUZZ_SECONDS)" test/fuzz/run.sh $(B) $(fuzz_bins)

# ---- helpers of the tests ---------------------------------------------------
# init: process 1 of the end-to-end tests' sandbox; tables: what the programs
# know, for lint; mkstate: a scratch installation with one sign-in; mksignins:
# many of them; mkkrl: a revocation list; mktoken: tokens and tenant keys; ask:
# one request to the signer; fakeclock.so: another time of day.
tools = $(addprefix $(B)/test/tools/,init tables mkstate mksignins mkkrl \
	mktoken ask keygen-shim fakeclock.so)
$(B)/test/tools/init: $(B)/test/tools/init.o
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^

$(B)/test/tools/tables: $(B)/test/tools/tables.o $(core_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^ -linih -ljansson -lnettle -lsodium

$(B)/test/tools/fakeclock.o: cflags += -fPIC
$(B)/test/tools/fakeclock.so: $(B)/test/tools/fakeclock.o
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -shared $(ldflags) -Wl,-z,defs -o $@ $^ -ldl

$(B)/test/tools/ask: $(B)/test/tools/ask.o $(call objs,ca/signer,request) \
		$(ssh_o) $(core_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^ $(lib_ssh) -ljansson \
	    -lsodium -linih

$(B)/test/tools/mktoken: $(B)/test/tools/mktoken.o \
		$(call objs,test/tools,forge) $(token_hook_o) $(core_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^ $(hook_shared)

$(B)/test/tools/mkstate $(B)/test/tools/mksignins: $(B)/test/tools/mk%: \
		$(B)/test/tools/mk%.o $(call objs,test/tools,forge) $(host_o) \
		$(policy_o) $(token_hook_o) $(ssh_o) $(core_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^ $(hook_shared)

shim_o = $(call objs,test/tools,keygen-shim shimsign shimkrl)
$(B)/test/tools/keygen-shim: $(shim_o) $(ssh_o) $(core_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^ $(lib_ssh) -linih -ljansson \
	    -lsodium

$(B)/test/tools/mkkrl: $(B)/test/tools/mkkrl.o $(ssh_o) $(core_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^ $(lib_ssh) -linih -ljansson \
		-lsodium

# ---- the bench ---------------------------------------------------------------
# bench is static because a child's peak memory begins with its parent's.
bench_bins = $(addprefix $(B)/test/bench/,bench floor fetch)
bench_sign = $(B)/test/bench/sign
bench_cc = $(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(WERROR) -O2 -o $@ $<
$(bench_bins): $(B)/test/bench/%:
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(bench_cc) $(bench_flags)
$(B)/test/bench/bench: bench_flags = -static
$(B)/test/bench/floor: bench_flags = -static -nostdlib -fno-stack-protector
$(B)/test/bench/fetch: bench_flags = -lcurl
$(B)/test/bench/bench: test/bench/bench.c
$(B)/test/bench/floor: test/bench/floor.c
$(B)/test/bench/fetch: test/bench/fetch.c

# Certificates in one process, with the optimisation of the product.
$(bench_sign): $(B)/test/bench/sign.o $(ssh_o) $(core_o)
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) -pie $(ldflags) -o $@ $^ $(lib_ssh) -linih -ljansson \
	    -lsodium

# The hook without its seccomp filter, for callgrind only.
$(B)/test/bench/hook: $(hook_all_o) $(B)/test/bench/nofence.o
	$(call say,LD,$@)
	$(Q)$(CC) $(cflags) $(ldflags) -Wl,--wrap=prctl -o $@ $^ $(hook_libs)

# ---- everything else --------------------------------------------------------
need-build need-demo need-test: need-%:
	$(Q)test/tools/deps.sh need $*

deps: deps-test
deps-build deps-demo deps-test: deps-%:
	$(Q)test/tools/deps.sh install $*

# NB. these start a second make, so that what deps.sh installs is there when
# make looks for libraries and compilers.
check: need-test
	$(Q)$(MAKE) --no-print-directory all unit-bins $(tools)
	+$(Q)B="$(B)" CC="$(CC)" MAKE="$(MAKE)" test/check.sh

demo: need-demo
	$(Q)$(MAKE) --no-print-directory $(programs) $(tools)
	$(Q)test/e2e/demo.sh

# NB. not a part of check: only a quiet machine measures anything.
bench: need-test
	$(Q)$(MAKE) --no-print-directory $(programs) $(tools) $(bench_bins) \
	    $(bench_sign) $(B)/test/bench/hook
	$(Q)$(MAKE) --no-print-directory B=$(B)/shared HOOK_LIBS=shared \
	    $(B)/shared/aadssh-authkeys $(B)/shared/test/bench/hook
	$(Q)B="$(B)" CC="$(CC)" test/bench/run.sh

# Other versions of OpenSSH.  NB. not a part of check: it fetches whole systems.
interop-bins: $(programs) $(tools)
interop: need-test
	$(Q)$(MAKE) --no-print-directory interop-bins
	$(Q)B="$(B)" test/interop/interop.sh

# NB. not a part of check either: a whole Debian is fetched and emulated.
boot-test:
	+$(Q)B="$(B)" MAKE="$(MAKE)" test/boot/boot.sh

lint: need-test
	$(Q)$(MAKE) --no-print-directory all $(B)/test/tools/tables
	$(Q)B="$(B)" HOOK_LIBS="$(HOOK_LIBS)" test/lint/run.sh

# The unit tests under AddressSanitizer and UndefinedBehaviourSanitizer, by
# clang, so that no compiler alone decides what the tests see.
# NB. its runtime as a library, or --wrap would reach into it.
ASAN_CC ?= clang-14
asan_lib = $(shell $(ASAN_CC) -print-runtime-dir)
asan_ldflags = $(if $(findstring clang,$(ASAN_CC)),-shared-libasan \
	-Wl$(comma)-rpath$(comma)$(asan_lib))
asan: need-test
	$(Q)$(MAKE) --no-print-directory B=$(B)/asan CC=$(ASAN_CC) HARDEN=-fPIE \
	    CFLAGS="-O1 -g $(SAN)" LDFLAGS="$(asan_ldflags) $(LDFLAGS)" unit

fuzz: need-test
	$(Q)$(MAKE) --no-print-directory B=$(B)/fuzz CC=$(FUZZ_CC) HARDEN=-fPIE \
	    CFLAGS="-O1 -g $(SAN) -fsanitize=fuzzer-no-link" fuzz-run

examples = $(PREFIX)/share/doc/aadssh/examples
units_systemd = aadssh-reap.service aadssh-refresh.service \
	aadssh-refresh.timer aadssh-ca-signer.socket aadssh-ca-signer@.service \
	aadssh-ca-keys.service aadssh-ca-keys.timer aadssh-ca-rotate.service \
	aadssh-ca-rotate.timer
# $(call install_prefixed,FILE,PATH): with our programs where they went.
define install_prefixed
sed 's|@PREFIX@|$(PREFIX)|g' $(strip $(1)) >$(B)/prefixed
	install -m 0644 $(B)/prefixed $(DESTDIR)$(2)

endef

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)/usr/libexec/aadssh \
	    $(DESTDIR)/etc/aadssh $(DESTDIR)/usr/lib/sysusers.d \
	    $(DESTDIR)/usr/lib/tmpfiles.d $(DESTDIR)/usr/lib/systemd/system \
	    $(DESTDIR)$(PAMDIR) \
	    $(addprefix $(DESTDIR)$(examples)/,cron.d pam.d) \
	    $(addprefix $(DESTDIR)$(PREFIX)/share/man/man,1 5 8)
	install -m 0755 $(B)/aadssh $(B)/aadssh-ca $(DESTDIR)$(PREFIX)/bin/
	install -m 0755 $(B)/aadssh-ca-import $(DESTDIR)/usr/libexec/aadssh/
	@# In one step: sshd may ask at any moment.
	install -m 0755 $(B)/aadssh-authkeys \
	    $(DESTDIR)/usr/libexec/aadssh/aadssh-authkeys.new
	mv -f $(DESTDIR)/usr/libexec/aadssh/aadssh-authkeys.new \
	    $(DESTDIR)/usr/libexec/aadssh/aadssh-authkeys
	install -m 0755 $(B)/aadssh-ca-signer \
	    $(DESTDIR)/usr/libexec/aadssh/aadssh-ca-signer.new
	mv -f $(DESTDIR)/usr/libexec/aadssh/aadssh-ca-signer.new \
	    $(DESTDIR)/usr/libexec/aadssh/aadssh-ca-signer
	ln -sfn $(PREFIX)/bin/aadssh $(DESTDIR)/usr/libexec/aadssh/aadssh.new
	mv -fT $(DESTDIR)/usr/libexec/aadssh/aadssh.new \
	    $(DESTDIR)/usr/libexec/aadssh/aadssh
	install -m 0644 $(B)/pam_aadssh.so \
	    $(DESTDIR)$(PAMDIR)/pam_aadssh.so.new
	mv -f $(DESTDIR)$(PAMDIR)/pam_aadssh.so.new \
	    $(DESTDIR)$(PAMDIR)/pam_aadssh.so
	test -e $(DESTDIR)/etc/aadssh/aadssh.conf || \
	    install -m 0644 conf/aadssh.conf $(DESTDIR)/etc/aadssh/aadssh.conf
	test -e $(DESTDIR)/etc/aadssh/aadssh-ca.conf || \
	    install -m 0644 conf/aadssh-ca.conf \
	    $(DESTDIR)/etc/aadssh/aadssh-ca.conf
	install -m 0644 conf/sysusers $(DESTDIR)/usr/lib/sysusers.d/aadssh.conf
	install -m 0644 conf/tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/aadssh.conf
	install -m 0644 conf/sysusers-ca \
	    $(DESTDIR)/usr/lib/sysusers.d/aadssh-ca.conf
	install -m 0644 conf/tmpfiles-ca \
	    $(DESTDIR)/usr/lib/tmpfiles.d/aadssh-ca.conf
	$(foreach unit,$(units_systemd),$(call install_prefixed,\
	    conf/systemd/$(unit),/usr/lib/systemd/system/$(unit)))
	$(call install_prefixed,conf/cron.d/aadssh,$(examples)/cron.d/aadssh)
	$(call install_prefixed,conf/cron.d/aadssh-ca,$(examples)/cron.d/aadssh-ca)
	install -m 0644 conf/sshd_config.d/40-aadssh-certificates.conf \
	    conf/sshd_config.d/50-aadssh.conf $(DESTDIR)$(examples)/
	install -m 0644 conf/pam.d/sshd conf/pam.d/sshd-fallback \
	    $(DESTDIR)$(examples)/pam.d/
	install -m 0755 conf/aadssh-ca-push $(DESTDIR)$(examples)/
	install -m 0644 docs/aadssh.1 docs/aadssh-ca.1 \
	    $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 0644 docs/aadssh.conf.5 docs/aadssh-ca.conf.5 \
	    $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 0644 docs/aadssh-authkeys.8 docs/aadssh-ca-signer.8 \
	    docs/pam_aadssh.8 \
	    $(DESTDIR)$(PREFIX)/share/man/man8/

clean:
	rm -rf $(B)

# NB. not all of $(B): another make may be at work in $(B)/asan, and below
# $(B)/boot are whole systems.
-include $(shell find $(B)/ca $(B)/cmd $(B)/lib $(B)/test -name '*.d' 2>/dev/null)
