// One of two processes that share a segment, for peers that were compiled by different compilers or with different C libraries.
//
//   segment_peer create NAME    makes it with a lock in it, says "ready", and holds it until its input ends
//   segment_peer attach NAME    says what comes of it: "attached", "other ABI", or the number of another outcome

#include <cstdio>
#include <cstring>

#include "shm/segment.h"

namespace procshare {
namespace {

int Create(const char* name) {
  SegmentSpec spec;
  spec.payload_bytes = 64;
  spec.cells_bytes = 128;
  spec.description = "{}";
  Result<Segment> created = Segment::Create(name, spec);
  if (!created.ok() || !created.value().Publish().ok()) return 1;
  std::puts("ready");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  created.value().CloseAndUnmap();
  return 0;
}

int Attach(const char* name) {
  Result<Segment> attached = Segment::Attach(name, false, false);
  if (attached.ok()) {
    std::puts("attached");
    attached.value().CloseAndUnmap();
  } else if (attached.status().outcome == Outcome::kAbi) {
    std::puts("other ABI");
  } else {
    std::printf("outcome %d\n", static_cast<int>(attached.status().outcome));
  }
  return 0;
}

}  // namespace
}  // namespace procshare

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return std::strcmp(argv[1], "create") == 0 ? procshare::Create(argv[2]) : procshare::Attach(argv[2]);
}
