// SPDX-License-Identifier: Apache-2.0

import StowageConfig
import StowageModel
import Testing

/// Expected values: configuration-and-idmaps 10.
@Suite("Subordinate IDs") struct SubordinateIDsTests {
  private func scratch(_ text: String) throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write("passwd", "root:x:0:0::/:/bin/sh\ntester:x:1500:1500::/home/t:/bin/sh\n")
    try scratch.write("subuid", text)
    try scratch.write("subgid", text)
    return scratch
  }

  @Test func `Ranges by name and number are sorted, and numbered from zero`() throws {
    let scratch = try scratch("# c\n\n1500:500000:10\ntester:200000:1000\n other:1:x\n1500:100000:5\n")
    let expected = [
      IDMapping(containerID: 0, hostID: 100_000, size: 5), IDMapping(containerID: 5, hostID: 200_000, size: 1000),
      IDMapping(containerID: 1005, hostID: 500_000, size: 10),
    ]
    let maps = try SubordinateIDs.maps(user: "tester", group: "tester", directory: scratch.path)
    #expect(maps.uids == expected)
    #expect(maps.gids == expected)
  }

  @Test func `A malformed line is an error`() throws {
    let scratch = try scratch("tester:1:2\nbad:1\n")
    let error = #expect(throws: StorageError.self) {
      try SubordinateIDs.maps(user: "tester", group: "tester", directory: scratch.path)
    }
    #expect(
      error?.message == "cannot parse subuid/gid information: Format not correct for \(scratch.path)/subuid file")
  }

  @Test func `Nobody's ranges are an error`() throws {
    let scratch = try scratch("tester:1:2\n")
    let error = #expect(throws: StorageError.self) {
      try SubordinateIDs.maps(user: "x", group: "x", directory: scratch.path)
    }
    #expect(error?.message == #"no subuid ranges found for user "x" in /etc/subuid"#)
    #expect(try SubordinateIDs.maps(user: "ALL", group: "ALL", directory: scratch.path).uids.count == 1)
  }
}
