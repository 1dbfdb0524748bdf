// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// What overlayfs' own marks on an object of an upper directory mean.
struct OverlayMarks {
  let attributes: OverlayAttributes
  private let opaqueName: [UInt8]
  private let whiteoutName: [UInt8]

  init(_ attributes: OverlayAttributes) {
    self.attributes = attributes
    opaqueName = Array(attributes.opaqueName.utf8) + [0]
    whiteoutName = Array((attributes.prefix + "whiteout").utf8) + [0]
  }

  /// True for a deleted object: a device 0:0, or an empty file with the attribute newer kernels also know.
  func isWhiteout(_ entry: borrowing TreeEntry) throws(StorageError) -> Bool {
    if isWhiteoutDevice(entry.status) { return true }
    guard entry.status.kind == .regular, entry.status.size == 0 else { return false }
    return try value(whiteoutName, entry) != nil
  }

  /// True for a directory that hides what lower ones have in it. The value `x` only announces whiteout attributes.
  func isOpaque(_ entry: borrowing TreeEntry) throws(StorageError) -> Bool {
    guard entry.status.isDirectory else { return false }
    return try value(opaqueName, entry) == [UInt8(ascii: "y")]
  }

  private func value(_ attribute: [UInt8], _ entry: borrowing TreeEntry) throws(StorageError) -> [UInt8]? {
    let (directory, name) = (entry.directory, entry.name)
    do throws(Errno) {
      return try withCString(attribute) { (attribute) throws(Errno) in
        try ExtendedAttributes.value(directory, name, attribute)
      }
    } catch {
      throw .failed("lgetxattr", entry.path, error)
    }
  }
}
