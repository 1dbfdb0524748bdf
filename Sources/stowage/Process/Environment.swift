// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The value of an environment variable, nil if it is not set.
func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
