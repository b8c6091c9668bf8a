"""Fair runs that go round for ever, where equal things are renamed: who would be starved by them.

A unit of fairness is a process with one of its rules and the object that it works on.  Three things are owed:

* Whatever a component or a repair can do is done if it stays possible (weak fairness).
* An informer's ``learn`` is owed strong fairness: if it is possible again and again it is done.  An informer receives
  its events beside the workers, although it stands still here while requests are under way.
* A key has its turn.  While the requests of one look are under way (or, where a controller looks only at what is
  up to date, events to come first), a controller can look at no key.  A key that is worth a look (``decide``) whenever
  its controller can look at one is looked at, since it stands in a queue that is worked off in order (client-go
  util/workqueue): so what is possible all the time but for such moments counts as possible all the time.  Where a look
  and its requests are one step (``work``) there are no such moments.  More than that is not owed: the turn of a key
  that is worth a look only now and then may come each time when it is not.

States are known by their canonical forms only, and a step into the canonical form may exchange equal nodes and give
pods with generated names other uids: what is called ``kubelet/n1`` or pod 7 before it is another one than what is
called so after it.  So every unit is followed through the renamings of the steps (``names.py``).  A pod that is gone is
owed nothing more, and a number that is given again belongs to another pod.

In a strongly connected component, some unit is *stuck* if wherever the run goes inside, the unit still waits, under the
name that it has there, and it is nowhere taken.  That is the largest set of pairs of a state and a unit which no step
inside leads out of.  If there is no such pair, then the run that gives to one after the other what he is owed is fair.
If there is one, then there is one in every state of the component, and a fair run has to keep away from the states in
which such a unit is possible.  (A unit that is owed weak fairness is possible wherever it waits: nothing is left.)

An informer is starved already if it is possible somewhere and never taken; then too a run has to keep away from these
states.  Informers are on nodes, and these only change places: call each by its name in one state of a component, the
root, and give each state the exchange that leads to it along a spanning tree (its frame).  The other steps then lead
back to the root by exchanges that generate a group: a run may come back with any of them carried out, so what holds of
an informer has to be asked of all that the group takes it to.

Whenever a run has to keep away from states, what is left of the component is looked at again.  What remains in the end
are the ``Region``s: the run that goes everywhere in one is fair (``regions.py``).  (This is what the components of the
graph without symmetry would say.)  Renamings are looked up only in components that the units' kinds, whoever they are
about, do not decide.  A short way round that is fair is looked for in a region (``cycles.py``), and confirmed by plain
steps, with no use of all this (``units.py``).
"""
