// SPDX-License-Identifier: Apache-2.0

package import SystemPackage

/// A driver whose layers can lie in additional image stores, which are read and never written.
package protocol AdditionalStoreReading: GraphDriver {
  /// Roots of the additional image stores: those of the options first, then those of the context, in order.
  var additionalImageStores: [FilePath] { get }
}

extension GraphDriver {
  /// The driver as one that reads additional image stores; `nil` if it can have none.
  package var additionalStoreReading: (any AdditionalStoreReading)? { self as? any AdditionalStoreReading }
}
