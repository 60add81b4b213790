// The stamp of the native interface, by scripts/check-interface.mjs. The JavaScript that belongs to this addon has the same.
#pragma once

namespace procshare {

constexpr char kNativeInterface[] = "a07163093d9b6d3f";

}  // namespace procshare
