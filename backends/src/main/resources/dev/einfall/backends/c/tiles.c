#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Asks Linux to let this process use the registers for tiles of AMX, which it saves for those that have asked. Other systems need not be asked. */
static bool may_use_tiles(void) {
#if defined(__linux__)
  const long request = 0x1023, tiles = 18;
  return syscall(SYS_arch_prctl, request, tiles) == 0;
#else
  return true;
#endif
}

