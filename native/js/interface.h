// The stamp of the native interface, by scripts/check-interface.mjs. The JavaScript that belongs to this addon has the same.
#pragma once

namespace procshare {

constexpr char kNativeInterface[] = "5e545d52fc2d5469";

}  // namespace procshare
