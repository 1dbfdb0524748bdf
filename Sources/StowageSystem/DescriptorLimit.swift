// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

/// The soft limit before it was raised; nil if it was not.
private let formerLimit = Mutex<rlim_t?>(nil)
private let descriptorLimit = __rlimit_resource_t(UInt32(7))

/// Raises the soft limit of open descriptors to the hard one; walks keep one descriptor per level. See `setrlimit(2)`.
///
/// Failure is ignored: the old limit stays. To be called once, at the start of a program.
package func raiseDescriptorLimit() {
  var limit = rlimit()
  guard getrlimit(descriptorLimit, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
  let former = limit.rlim_cur
  limit.rlim_cur = limit.rlim_max
  if setrlimit(descriptorLimit, &limit) == 0 { formerLimit.withLock { $0 = former } }
}

/// Takes back ``raiseDescriptorLimit()``, for a program to be started that may not expect large numbers.
package func restoreDescriptorLimit() {
  guard let former = formerLimit.withLock({ $0 }) else { return }
  var limit = rlimit()
  guard getrlimit(descriptorLimit, &limit) == 0 else { return }
  limit.rlim_cur = former
  _ = setrlimit(descriptorLimit, &limit)
}
