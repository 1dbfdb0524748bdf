// SPDX-License-Identifier: Apache-2.0
import StowageImage
import StowageModel
import StowageRegistry

/// The whole names that a short name of an image stands for by `registries.conf`, which is read when the first one is looked up.
func configuredNames(_ shortName: String) throws(StorageError) -> [String] {
  guard ImageName.isShort(shortName) else { return [] }
  return try loadRegistriesConfiguration().wholeNames(of: shortName)
}
