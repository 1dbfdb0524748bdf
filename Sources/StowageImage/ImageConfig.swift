// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// The parts of an image's configuration that loading needs.
package struct ImageConfig: Sendable {
  /// When the image was made; nil if the configuration does not say.
  package let created: Timestamp?
  /// Digests of the uncompressed layers, base layer first; nil if the list is missing or all empty.
  package let diffIDs: [Digest]?

  /// What the image runs on, as far as the configuration says.
  package let platform: Platform

  /// Reads a configuration.
  ///
  /// - Throws: `invalidArchive` if it is no JSON object or a member has the wrong form.
  package init(_ document: JSONDocument) throws(StorageError) {
    guard document.value.object != nil else { throw document.error("the image configuration is not an object") }
    platform = Platform(document.value) ?? Platform(os: "", architecture: "")
    if let text = try document.text("created", of: document.value) {
      guard let time = Timestamp(parsing: text) else { throw document.error("\(goQuoted(text)) is not a time") }
      created = time == .unset ? nil : time
    } else {
      created = nil
    }
    let rootfs = document.value["rootfs"] ?? .null
    guard rootfs == .null || rootfs.object != nil else { throw document.error("\"rootfs\" is not an object") }
    let texts = try document.texts("diff_ids", of: rootfs) ?? []
    guard texts.contains(where: { !$0.isEmpty }) else {
      diffIDs = nil
      return
    }
    var diffIDs: [Digest] = []
    for text in texts { diffIDs.append(try document.digest(text)) }
    self.diffIDs = diffIDs
  }
}
