// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// A record with an identifier and names of its own.
package protocol NamedRecord: StoreRecord {
  /// The kind of identifier.
  associatedtype ID: StorageIdentifier
  /// The identifier.
  var id: ID { get }
  /// The names.
  var names: [String] { get set }
  /// Whether something that was begun with the object may not be done; then a load tells of it, and the ``RecordKeeper``
  /// judges.
  var mayBeUnfinished: Bool { get }
}

extension NamedRecord {
  /// Nothing is ever under way.
  package var mayBeUnfinished: Bool { false }
}

extension ImageRecord: NamedRecord {}
extension ContainerRecord: NamedRecord {}

extension LayerRecord: NamedRecord {
  /// What is under way with a layer is in a flag. Most layers have none.
  package var mayBeUnfinished: Bool { !flags.isEmpty }
}

/// 64 lower-case hexadecimal digits: what no caller would choose as a name of something else.
package func looksLikeIdentifier(_ text: String) -> Bool {
  text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
}
