// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// Store-wide commands (cli 22).
  static let wholeStore = #"""
    $ status
    2| Root: /w/g
    2| Run Root: /w/r
    2| Driver Name: <driver>
    2| Driver Options: []
    2overlay| …
    $ status --json
    1vfs| [["Root","/w/g"],["Run Root","/w/r"],["Driver Name","vfs"],["Driver Options","[]"]]
    1overlay| [["Root","/w/g"],["Run Root","/w/r"],["Driver Name","overlay"],["Driver Options","[]"],…
    $ version
    2| Version: 1.64.0-dev
    $ version -j
    1| [["Version","1.64.0-dev"]]
    $ config
    1| {"runroot":"/w/r","root":"/w/g","driver":"<driver>","PullOptions":null}
    $ check
    $ check -j
    1| {"Layers":{},"ROLayers":{},"Images":{},"ROImages":{},"Containers":{}}
    $ check -m xyz
    2| time: invalid duration "xyz"
    rc=1
    $ gc
    $ gc -j
    1| ""
    $ dedup
    1| Deduplicated 0 bytes
    $ dedup -j
    1| {"Deduped":0}
    $ dedup --hash-method=foo
    2| invalid hash method: foo
    rc=1
    $ shutdown
    $ shutdown -j
    1| ""
    $ unshare true
    $ unshare sh -c 'exit 3'
    2| exit status 3
    rc=1
    $ unshare nosuch
    2| exec: "nosuch": executable file not found in $PATH
    rc=1
    $ unshare sh -c 'kill -9 $$'
    2| signal: killed
    rc=1
    """#
}
